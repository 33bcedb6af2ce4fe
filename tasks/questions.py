"""How many questions a run has put to the teacher, screening of the documents apart."""

from __future__ import annotations

from fanno_core.outcome import Usage
from tasks.run import Run

SCREENING = ("ingest", "rules", "duplicates", "privacy", "verdicts", "encode", "communities", "queue")


def questions(run: Run) -> int:
    """Questions so far, whether the teacher or the journal answered them: a run that goes on counts the same."""
    done = (each.entry.usage for each in run.finished if each.entry.phase not in SCREENING)
    return sum(done, Usage()).questions
