"""Reflection-Tuning: a teacher criticises each row and rewrites it, first its instruction, then its answer.

An input is first merged into its instruction. What cannot be read is asked once more; a pass that fails a second time
leaves the row as it was, and a row for which both fail stays the row that it was, with its id.

What differs: the published response pass appends nothing to its list and so writes an empty file, and cuts overlong
answers by a count of tokens that it takes for characters. Here nothing is cut, and an answer that was cut off is not
read. Rows that stay as they were can be rejected with the reason instead.

Source: Li et al. 2023, arXiv 2310.11716; tianyi-lab/Reflection_Tuning 5b6cef0, `reflection_code`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from fanno_core.methods.contract import Transform
from fanno_core.methods.reflections import (
    ORIGINAL,
    PROMPTS,
    Draft,
    Found,
    ReflectionOptions,
    draft_of,
    instruction_pass,
    merged,
    response_pass,
    row_of,
)
from fanno_core.methods.rows import dropped_row
from fanno_core.outcome import Outcome
from fanno_core.store.contracts import Example
from fanno_core.tools import Tools

NAME = "reflect"


class ReflectOptions(ReflectionOptions):
    """Which passes there are, and what becomes of rows for which they fail."""

    passes: Literal["both", "instruction", "response"] = Field("both", description="what the teacher reflects on")
    unchanged: Literal["keep", "drop"] = Field(
        "keep", description="rows for which every pass failed: keep: as they were; drop: rejected with the reason"
    )


async def change(rows: Sequence[Example], tools: Tools, options: ReflectOptions) -> Outcome[Example]:
    """Each row as the teacher rewrote it, or as it was.

    Raises:
        TryAgain, RunStops: from the teacher.
    """
    drafts = await merged([draft_of(row) for row in rows], tools, options)
    reasons = [""] * len(rows)
    if options.passes != "response":
        drafts, reasons = advanced(drafts, reasons, await instruction_pass(drafts, tools, options))
    if options.passes != "instruction":
        drafts, reasons = advanced(drafts, reasons, await response_pass(drafts, tools, options))
    lengths = tools.teacher.count_tokens([draft.output for draft in drafts])
    teacher = str(tools.teacher.identity)
    made = [row_of(draft, NAME, teacher, length) for draft, length in zip(drafts, lengths, strict=True)]
    dropped = [
        dropped_row(draft.row, NAME, reason)
        for draft, reason in zip(drafts, reasons, strict=True)
        if draft.kind == ORIGINAL and options.unchanged == "drop"
    ]
    gone = {rejection.id for rejection in dropped}
    return Outcome([row for row in made if row.id not in gone], dropped, len(rows))


def advanced(drafts: Sequence[Draft], reasons: Sequence[str], found: Sequence[Found]) -> tuple[list[Draft], list[str]]:
    """The drafts after a pass, and for those that it failed the first reason of a failure."""
    new = [after if isinstance(after, Draft) else before for before, after in zip(drafts, found, strict=True)]
    why = [reason or (after if isinstance(after, str) else "") for reason, after in zip(reasons, found, strict=True)]
    return new, why


REFLECT = Transform(
    name=NAME,
    meaning="the teacher criticises and rewrites instructions, then responses (Reflection-Tuning)",
    version=2,
    change=change,
    options=ReflectOptions,
    prompts=PROMPTS,
    calls=lambda options: (
        (options.compress + (options.passes != "response") + (options.passes != "instruction")) * (1 + options.retry)
    ),
)
