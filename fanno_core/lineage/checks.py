"""What filters found, told from the rows and the answers that they left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from fanno_core.lineage.explanation import Asked, Check
from fanno_core.settings import Filters, Screen
from fanno_core.store.contracts import Document, Instruction, Rejection

VERDICTS = {
    "document_quality": ("quality", "min_quality"),
    "document_advertisement": ("advertisement", "max_advertisement"),
    "document_privacy": ("privacy", "max_privacy"),
    "instruction_privacy": ("private", "max_private"),
    "instruction_safety": ("unsafe", "max_unsafe"),
    "instruction_answerable": ("answerable", "min_answerable"),
}
"""By prompt: the column that keeps the probability of "1", and the setting that it is held against."""


def verdict_checks(
    phase: str,
    prompts: Sequence[str],
    row: Document | Instruction | None,
    asked: Sequence[Asked],
    limits: Screen | Filters,
) -> Iterator[Check]:
    """One check for each verdict that was given, in the order of the prompts.

    Args:
        phase: the phase that asked.
        prompts: the prompts of its verdicts.
        row: holds the probabilities of what passed; None where it did not pass all.
        asked: what the teacher was asked; tells of the others.
        limits: the settings that hold the limits.
    """
    answered = {question.prompt.partition("@")[0]: question.probability for question in asked}
    for prompt in prompts:
        column, setting = VERDICTS[prompt]
        kept = getattr(row, column, -1.0)
        score = kept if kept >= 0 else answered.get(prompt)
        if score is None:
            continue
        limit = getattr(limits, setting)
        least = setting.startswith("min_")
        passed = score >= limit if least else score <= limit
        yield Check(phase, prompt, passed, score, f"{'>=' if least else '<='} {limit:g}")


def with_fatal(checks: Sequence[Check], fatal: Rejection | None) -> tuple[Check, ...]:
    """The checks up to the one that failed; where none of them tells of the rejection, it is added as one."""
    if fatal is None:
        return tuple(checks)
    for number, check in enumerate(checks):
        if not check.passed:
            return tuple(checks[: number + 1])
    return (*checks, failed(fatal))


def failed(row: Rejection) -> Check:
    """A rejection as the check that failed, by its reason code."""
    return Check(row.phase, row.reason, passed=False, detail=row.detail)


def by_phase(rejections: Sequence[Rejection]) -> Mapping[str, Rejection]:
    """The first rejection by each phase."""
    found: dict[str, Rejection] = {}
    for row in rejections:
        found.setdefault(row.phase, row)
    return found
