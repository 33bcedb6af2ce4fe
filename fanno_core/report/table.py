"""The rows of a data set with their lineage, as the report's table shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fanno_core.dataset.made import Made
from fanno_core.store.contracts import FANNO, Document, Example, Placed

EXCERPT_CHARS = 600


@dataclass(frozen=True, slots=True)
class SourceDocument:
    """A document that a row was written or answered from.

    Attributes:
        excerpt: its first 600 characters.
        community, community_size, topic: its place among the others; empty, 0 and -1 where it represents nobody.
        quality, advertisement, privacy: the teacher's verdicts, as probabilities; -1 where there is none.
    """

    id: str
    source: str
    location: str
    carried_id: str
    licence: str
    words: int
    excerpt: str
    community: str = ""
    community_size: int = 0
    topic: int = -1
    quality: float = -1.0
    advertisement: float = -1.0
    privacy: float = -1.0


@dataclass(frozen=True, slots=True)
class ReportRow:
    """A row of the data set, its document, and everything else that it came from.

    Attributes:
        cut_tokens: of documents that had no room in the prompts of instruction and response.
    """

    id: str
    instruction: str
    input: str
    output: str
    document: SourceDocument
    iteration: int
    characteristic: str
    task_type: str
    form: str
    counterexamples: tuple[str, ...]
    instruction_prompt: str
    response_prompt: str
    response_mode: str
    retrieved: tuple[SourceDocument, ...]
    teacher: str
    instruction_sampling: str
    response_sampling: str
    cut_tokens: int
    private: float
    unsafe: float
    answerable: float
    similarity: float
    output_tokens: int
    phases: str
    flags: tuple[str, ...]
    method: str = FANNO
    made_from: tuple[str, ...] = ()


def report_rows(made: Made) -> list[ReportRow]:
    """The rows of a finished run in the order of their ids, each with its documents.

    Raises:
        ShardDamaged: a shard of the run, or a file of its data set, is missing or damaged.
    """
    placed = {row.id: row for row in made.kept("communities", Placed)}
    documents = {row.id: _document(row, placed.get(row.id)) for row in made.kept("verdicts", Document)}
    return [_row(example, documents) for example in made.examples()]


def _document(document: Document, placed: Placed | None) -> SourceDocument:
    return SourceDocument(
        id=document.id,
        source=document.source,
        location=document.location,
        carried_id=document.carried_id,
        licence=document.licence,
        words=document.words,
        excerpt=_excerpt(document.text),
        community=placed.community if placed else "",
        community_size=placed.community_size if placed else 0,
        topic=placed.topic if placed else -1,
        quality=document.quality,
        advertisement=document.advertisement,
        privacy=document.privacy,
    )


def _row(example: Example, documents: Mapping[str, SourceDocument]) -> ReportRow:
    return ReportRow(
        id=example.id,
        instruction=example.instruction,
        input=example.input,
        output=example.output,
        document=documents.get(example.document_id) or _elsewhere(example),
        iteration=example.iteration,
        characteristic=example.characteristic,
        task_type=example.task_type,
        form=example.form,
        counterexamples=example.counterexamples,
        instruction_prompt=example.instruction_prompt,
        response_prompt=example.response_prompt,
        response_mode=example.response_mode,
        retrieved=tuple(documents[name] for name in example.retrieved),
        teacher=example.teacher,
        instruction_sampling=example.instruction_sampling,
        response_sampling=example.response_sampling,
        cut_tokens=example.instruction_cut_tokens + example.response_cut_tokens,
        private=example.private,
        unsafe=example.unsafe,
        answerable=example.answerable,
        similarity=example.similarity,
        output_tokens=example.output_tokens,
        phases=example.phases,
        flags=example.flags,
        method=example.method,
        made_from=example.made_from,
    )


def _elsewhere(example: Example) -> SourceDocument:
    """Where a row comes from that was written from no document of this run, such as a row of a file."""
    return SourceDocument(
        example.document_id or f"file {example.source}", example.source, "", "", example.licence, 0, ""
    )


def _excerpt(text: str) -> str:
    return text if len(text) <= EXCERPT_CHARS else text[: EXCERPT_CHARS - 1].rstrip() + "…"
