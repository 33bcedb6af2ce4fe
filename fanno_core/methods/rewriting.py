"""What methods have in common that rewrite rows by a teacher: how a response is asked for, and what a row inherits."""

from __future__ import annotations

from dataclasses import replace

from fanno_core.methods.contract import Origin
from fanno_core.methods.rows import made_row
from fanno_core.responses.filters import response_reason
from fanno_core.settings import Responses
from fanno_core.store.contracts import Example
from fanno_core.teachers.protocol import Answer, Request, Sampling, Teacher
from fanno_core.teachers.rendered import rendered_request

DIRECT, SHOWN = "response_direct", "response_document"
RESPONSE_PROMPTS = (DIRECT, SHOWN)
"""Prompts that `response_request` may use."""


def response_request(row_id: str, question: str, parent: Example, sampling: Sampling, teacher: Teacher) -> Request:
    """The question put to the teacher as a user would.

    A teacher that knows nothing by itself is shown the row that there was before, as the response phase of the flow
    shows it documents.

    Args:
        row_id: whom the request is about.
        question: an instruction, with its input.
        parent: the row that it comes from.
        sampling: how the response is drawn.
        teacher: who will be asked.
    """
    if not teacher.needs_context:
        return rendered_request(row_id, DIRECT, {"instruction": question}, sampling, parent.document_id)
    known = "\n\n".join(part for part in (parent.output, parent.input) if part)
    values = {"document": known, "instruction": question}
    return rendered_request(row_id, SHOWN, values, sampling, parent.document_id)


def response_fault(answer: Answer, instruction: str, given: str) -> str:
    """Why a response is dropped, as the response filter of the flow finds; empty where nothing is amiss."""
    return response_reason(answer.text, answer.finish, instruction, given, Responses()) or ""


def descendant(
    parent: Example, origin: Origin, instruction: str, given: str, output: str, output_tokens: int = 0
) -> Example:
    """A row made of one other, whose document, source and licence it takes over.

    Args:
        parent: the row that it comes from, which `origin.made_from` names.
        origin: where it comes from.
        instruction: what is asked.
        given: the text that the instruction works on, or empty.
        output: the response.
        output_tokens: length of the response in the teacher's tokens.
    """
    made = made_row(origin, instruction, given, output, output_tokens)
    return replace(
        made,
        document_id=parent.document_id,
        source=parent.source,
        licence=parent.licence,
        community=parent.community,
        topic=parent.topic,
    )
