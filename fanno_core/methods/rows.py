"""Rows that methods make: of a file, or written by a teacher."""

from __future__ import annotations

from collections.abc import Sequence

from fanno_core.methods.contract import Origin
from fanno_core.responses.flags import flags_of
from fanno_core.store.contracts import Example, Rejection
from fanno_core.text import stable_id

UNKNOWN = -1.0
"""A score that nobody asked for."""


def made_row(origin: Origin, instruction: str, given: str, output: str, output_tokens: int = 0) -> Example:
    """A row with all that is known of it; its id depends on where it comes from and on its words.

    Args:
        origin: where it comes from.
        instruction: what is asked.
        given: the text that the instruction works on, or empty.
        output: the response.
        output_tokens: length of the response in the teacher's tokens; 0 where no teacher was asked.
    """
    document = origin.document
    parents = origin.made_from or ((document.id,) if document else ())
    return Example(
        id=stable_id(origin.method, str(origin.lot), *parents, instruction, given, output),
        instruction=instruction,
        input=given,
        output=output,
        document_id=document.id if document else "",
        source=document.source if document else "",
        licence=document.licence if document else "",
        community=document.community if document else "",
        topic=document.topic if document else 0,
        iteration=origin.lot,
        characteristic="",
        task_type=origin.task_type,
        form="",
        counterexamples=(),
        instruction_prompt=origin.prompt,
        response_prompt=origin.response_prompt or origin.prompt,
        response_mode=origin.method,
        retrieved=(),
        teacher=origin.teacher,
        instruction_sampling=origin.sampling,
        response_sampling=origin.response_sampling or origin.sampling,
        instruction_cut_tokens=origin.cut_tokens,
        response_cut_tokens=0,
        private=UNKNOWN,
        unsafe=UNKNOWN,
        answerable=UNKNOWN,
        similarity=UNKNOWN,
        output_tokens=output_tokens,
        carried_id=document.carried_id if document else "",
        flags=flags_of(instruction, given, output),
        method=origin.method,
        made_from=origin.made_from,
    )


def dropped_row(row: Example, phase: str, reason: str, detail: str = "") -> Rejection:
    """The rejection of a row, with its response."""
    text = "\n\n".join(part for part in (row.instruction, row.input, row.output) if part)
    return Rejection(row.id, phase, reason, detail, row.document_id, row.source, text)


def over_budget(rows: Sequence[Example], phase: str) -> list[Rejection]:
    """The rejections of rows for which the budget of questions has no room."""
    return [dropped_row(row, phase, "over_budget") for row in rows]
