"""Where a run's answers are written down: a file beside the shards, or objects where the folder lies on S3."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

from fanno_core.store.location import Location
from fanno_core.teachers.journal import Journal
from fanno_core.teachers.object_journal import ObjectJournal
from fanno_core.teachers.protocol import Answer, Request

FILE = "journal.sqlite"
FOLDER = "journal"


class AnswerJournal(Protocol):
    """Answers by the key of their request. Threads may share one, and all processes share what is in it."""

    def fetch(self, keys: Iterable[str]) -> dict[str, Answer]:
        """The answers written down under these keys; one that cannot be read is reported and counts as absent.

        Raises:
            TryAgain: a passing fault of the disk or the object store.
            RunStops: the journal cannot be used.
        """
        ...

    def store(self, answered: Mapping[str, tuple[Request, Answer]]) -> dict[str, Answer]:
        """What the journal holds under these keys once they are written down: what was there first stands.

        Raises:
            TryAgain: a passing fault of the disk or the object store.
            RunStops: the journal cannot be used, or an answer is not what the protocol says.
        """
        ...

    def close(self) -> None:
        """Lets go of what was opened; a later call opens it again."""
        ...


def open_journal(out: Location) -> AnswerJournal:
    """The journal of an output folder; nothing is read or made before its first use."""
    work = out / "work"
    return Journal(work / FILE) if isinstance(work, Path) else ObjectJournal(work / FOLDER)
