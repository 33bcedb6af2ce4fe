"""Scores of rows, by whether the instruction can be answered and by how the response reads.

Nobody's knowledge is at work here: a wrong answer in good sentences scores as high as a right one.
"""

from __future__ import annotations

from collections.abc import Mapping

from fanno_core.machine_talk import REFUSAL
from fanno_core.teachers.extractive.central import terms_of
from fanno_core.teachers.extractive.verdicts import document_advertisement, document_quality, instruction_answerable
from fanno_core.text import repeated_share, words_of

NGRAM = 4
BEST = 0.85
"""What the best rows reach; among 2,000 of Alpaca and 1,000 of Dolly some reach it."""
FEW_WORDS = 25
"""Shorter responses are no documents, so that nothing can be said of how they read."""


def triplet_score(fields: Mapping[str, str]) -> str:
    """A score from 0 to 5 in halves on the first line, and what it was made of on the next."""
    worth, why = _worth(fields)
    return f"{round(10 * worth) / 2:g}\n{why}"


def response_score(fields: Mapping[str, str]) -> str:
    """What was measured, and a score from 1 to 5 on the last line."""
    worth, why = _worth(fields)
    return f"{why}\nScore: {min(5, 1 + int(5 * worth))}"


def _worth(fields: Mapping[str, str]) -> tuple[float, str]:
    """How good a response is, in [0, 1], and why."""
    asked = "\n".join(part for part in (fields.get("instruction", ""), fields.get("input", "")) if part)
    output = fields.get("output", "")
    words = words_of(output.lower())
    if not words or REFUSAL.match(output):
        return 0.0, "It does not answer."
    terms = set(terms_of(asked))
    shared = len(terms & set(terms_of(output))) / max(1, len(terms))
    reads = 0.8
    if len(words) >= FEW_WORDS:
        reads = document_quality({"document": output}) * (1 - document_advertisement({"document": output}))
    worth = instruction_answerable({"instruction": asked}) * reads * min(1.0, 0.85 + 0.3 * shared)
    worth *= (1 - repeated_share(words, NGRAM)) / BEST
    return min(
        1.0, worth
    ), f"It has {len(words)} words and shares {shared:.0%} of those that the instruction turns about."
