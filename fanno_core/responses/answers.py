"""Responses: direct, with the instruction's document, with retrieved documents, or with both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fanno_core.errors import BadSettings
from fanno_core.outcome import Outcome
from fanno_core.prompts.loader import load_prompt
from fanno_core.responses import direct
from fanno_core.responses.direct import direct_request, response_sampling
from fanno_core.responses.filters import response_reason
from fanno_core.responses.flags import flags_of
from fanno_core.responses.retrieval import Library
from fanno_core.settings import Settings
from fanno_core.store.contracts import Example, Floats, Instruction, Rejection, question_of, rejected
from fanno_core.teachers.protocol import Answer, Request, Teacher, ask
from fanno_core.teachers.rendered import rendered_request

PHASE = "responses"
PROMPTS = {
    "direct": direct.PROMPT,
    "document": "response_document",
    "rag": "response_rag",
    "rag+": "response_rag_plus",
}


def response_mode(settings: Settings, needs_context: bool) -> str:
    """The mode asked for; `auto` is direct, or rag+ for a teacher that can only answer from documents."""
    mode = settings.responses.mode
    if mode == "auto":
        return "rag+" if needs_context else "direct"
    return mode


def require_mode(settings: Settings, needs_context: bool) -> None:
    """Checks that the teacher can answer at all in the mode asked for.

    Raises:
        BadSettings: it answers only from documents, and the mode shows it none.
    """
    if needs_context and settings.responses.mode == "direct":
        raise BadSettings(
            f"responses.mode=direct: the teacher {settings.teacher.name} answers only from documents; choose document, "
            "rag or rag+, or a language model with teacher.name"
        )


@dataclass(frozen=True, slots=True)
class Context:
    """What a response may lean on.

    Attributes:
        own: text of the instruction's own document; None where the mode does not show it, or it is not there.
        near: ids and texts of the retrieved documents, best first.
    """

    own: str | None = None
    near: Sequence[tuple[str, str]] = ()


async def respond(
    rows: Sequence[Instruction],
    vectors: Floats,
    library: Library | None,
    mode: str,
    teacher: Teacher,
    settings: Settings,
) -> Outcome[Example]:
    """Each instruction with the teacher's response, as far as the response passes the filters.

    Args:
        rows: instructions.
        vectors: `[n, d]` their unit vectors, in the same order.
        library: the screened documents; None for mode `direct`.
        mode: direct, document, rag or rag+.
        teacher: who answers.
        settings: all settings.

    Rejected carry the reasons of `response_reason`, and `no_context` where a mode with documents found none.

    Raises:
        TryAgain, RunStops: from the teacher.

    Source: stage 3 of FANNO's published code (direct); the other modes are the ablations of the paper's first
    version (document, RAG, RAG+).
    """
    retrieved = nearest_documents(rows, vectors, library, mode, settings)
    own_texts = dict(zip(library.ids, library.texts, strict=True)) if library and mode in {"document", "rag+"} else {}
    contexts = [Context(own_texts.get(row.document_id), near) for row, near in zip(rows, retrieved, strict=True)]
    return await respond_from(rows, contexts, mode, teacher, settings)


async def respond_from(
    rows: Sequence[Instruction], contexts: Sequence[Context], mode: str, teacher: Teacher, settings: Settings
) -> Outcome[Example]:
    """The same, with what each response may lean on at hand.

    Raises:
        TryAgain, RunStops: from the teacher.
    """
    asked, requests, dropped = [], [], []
    for row, context in zip(rows, contexts, strict=True):
        if mode != "direct" and not context.near and context.own is None:
            dropped.append(rejected(row, PHASE, "no_context", "no document to answer from"))
            continue
        asked.append((row, tuple(name for name, _ in context.near)))
        requests.append(_request(row, context, mode, settings))
    answers = await ask(teacher, requests)
    lengths = teacher.count_tokens([answer.text for answer in answers])
    kept: list[Example] = []
    for (row, near_ids), answer, length in zip(asked, answers, lengths, strict=True):
        result = _read(row, answer, near_ids, mode, length, settings)
        (kept if isinstance(result, Example) else dropped).append(result)  # type: ignore[arg-type]
    return Outcome(kept, dropped, len(rows))


def nearest_documents(
    rows: Sequence[Instruction], vectors: Floats, library: Library | None, mode: str, settings: Settings
) -> list[list[tuple[str, str]]]:
    """Ids and texts of the documents retrieved for each instruction, best first; none where the mode shows none."""
    if library is None or mode not in {"rag", "rag+"}:
        return [[] for _ in rows]
    how = settings.responses
    own = [row.document_id for row in rows]
    # With rag+ the own document stands in the prompt anyway.
    return library.nearest(vectors, own, how.retrieve, how.min_score, how.own_document and mode == "rag")


def _request(row: Instruction, context: Context, mode: str, settings: Settings) -> Request:
    if mode == "direct":
        return direct_request(row, response_sampling(settings))
    values = {"instruction": question_of(row)}
    if mode in {"document", "rag+"}:
        values["document"] = context.own or ""
    if mode in {"rag", "rag+"}:
        values["retrieved"] = "\n\n".join(text for _, text in context.near)
    return rendered_request(row.id, PROMPTS[mode], values, response_sampling(settings), row.document_id)


def _read(
    row: Instruction, answer: Answer, near: tuple[str, ...], mode: str, length: int, settings: Settings
) -> Example | Rejection:
    output = answer.text.strip()
    reason = response_reason(output, answer.finish, row.instruction, row.input, settings.responses)
    if reason:
        return rejected(row, PHASE, reason, f"{row.task_type or 'augmented'} {mode}", output)
    return Example(
        id=row.id,
        instruction=row.instruction,
        input=row.input,
        output=output,
        document_id=row.document_id,
        source=row.source,
        licence=row.licence,
        community=row.community,
        topic=row.topic,
        iteration=row.iteration,
        characteristic=row.characteristic,
        task_type=row.task_type,
        form=row.form,
        counterexamples=row.counterexamples,
        instruction_prompt=row.prompt,
        response_prompt=load_prompt(PROMPTS[mode]).label,
        response_mode=mode,
        retrieved=near,
        teacher=row.teacher,
        instruction_sampling=row.sampling,
        response_sampling=str(response_sampling(settings)),
        instruction_cut_tokens=row.cut_tokens,
        response_cut_tokens=answer.cut_tokens,
        private=row.private,
        unsafe=row.unsafe,
        answerable=row.answerable,
        similarity=row.similarity,
        output_tokens=length,
        carried_id=row.carried_id,
        flags=flags_of(row.instruction, row.input, output),
    )
