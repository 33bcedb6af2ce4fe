"""What every table between two phases holds, declared once.

A contract is a frozen dataclass: its fields are the columns, their annotations the Parquet types,
their metadata the meaning and unit. The key is the first field. Docs are generated from here.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any, Protocol, get_type_hints

import numpy as np
import numpy.typing as npt
import pyarrow as pa

FANNO = "fanno"
"""What rows of FANNO's own phases name as their method."""

Floats = npt.NDArray[np.float32]

ARROW_TYPES: dict[Any, pa.DataType] = {
    str: pa.string(),
    int: pa.int64(),
    float: pa.float64(),
    bool: pa.bool_(),
    tuple[str, ...]: pa.list_(pa.string()),
    Floats: pa.list_(pa.float32()),
}


def column(meaning: str, **default: Any) -> Any:
    """A dataclass field that carries its meaning and, where it has one, its unit."""
    return field(metadata={"meaning": meaning}, **default)


@dataclass(frozen=True, slots=True)
class Document:
    """A segment of the corpus on its way through ingest and screening."""

    id: str = column("16 hex digits of the SHA-256 of source and text as they were read")
    text: str = column("the segment, normalised, UTF-8")
    source: str = column("where it was read: file name within the corpus, or the carried source field")
    location: str = column("place within the source: row, or segment number")
    carried_id: str = column("the corpus' own id of the document, or empty", default="")
    licence: str = column("the corpus' own licence of the document, or empty", default="")
    language: str = column("ISO 639-1 code found by the language filter, or empty", default="")
    words: int = column("number of words", default=0)
    quality: float = column("teacher's probability that the text is worth learning from", default=-1.0)
    advertisement: float = column("teacher's probability that the text is an advert", default=-1.0)
    privacy: float = column("teacher's probability that the text is about a private person", default=-1.0)
    personal_data: tuple[str, ...] = column("kinds of personal data that were masked", default=())
    cut_tokens: int = column("tokens at its end that the teacher's context had no room for in a verdict", default=0)


@dataclass(frozen=True, slots=True, eq=False)
class Vector:
    """The embedding of one text."""

    id: str = column("id of the row that was embedded")
    vector: Floats = column("unit vector, float32")


@dataclass(frozen=True, slots=True)
class Placed:
    """A screened document with its place among the others."""

    id: str = column("id of the document")
    community: str = column("id of the community: the id of its central document")
    community_size: int = column("members of the community")
    rank: int = column("place within its community; 0 is the central document")
    order: int = column("place in the queue for instructions; topics take turns")
    topic: int = column("coarse community, numbered by falling size")
    text: str = column("the segment")
    source: str = column("where it was read")
    location: str = column("place within the source")
    licence: str = column("licence of the document, or empty")
    words: int = column("number of words")
    quality: float = column("teacher's probability that the text is worth learning from")
    carried_id: str = column("the corpus' own id of the document, or empty", default="")


@dataclass(frozen=True, slots=True)
class Instruction:
    """An instruction, from the teacher's pen until it has its response."""

    id: str = column("16 hex digits of the SHA-256 of document id, tags, iteration and text")
    instruction: str = column("what is asked")
    input: str = column("the text that the instruction works on, or empty")
    document_id: str = column("id of the document that it was written from")
    source: str = column("source of that document")
    licence: str = column("licence of that document, or empty")
    community: str = column("community of that document")
    topic: int = column("topic of that document")
    iteration: int = column("0 for seeds, then the number of the augmentation window")
    characteristic: str = column("difficulty tag, or empty")
    task_type: str = column("task-type tag, or empty")
    form: str = column("form tag: imperative or interrogative")
    counterexamples: tuple[str, ...] = column("ids of the seeds shown as counterexamples", default=())
    prompt: str = column("name and digest of the prompt that made it", default="")
    teacher: str = column("teacher, its model, revision and chat template", default="")
    sampling: str = column("how the teacher's answer was drawn", default="")
    cut_tokens: int = column("tokens of the document that the teacher's context had no room for", default=0)
    private: float = column("teacher's probability that it is about a private person", default=-1.0)
    unsafe: float = column("teacher's probability that answering does harm", default=-1.0)
    answerable: float = column("teacher's probability that it can be answered as it stands", default=-1.0)
    similarity: float = column("largest cosine to any instruction kept before it; -1 for the first", default=-1.0)
    carried_id: str = column("the corpus' own id of the document, or empty", default="")


@dataclass(frozen=True, slots=True)
class Example:
    """A row of the data set: an instruction with its response."""

    id: str = column("id of the instruction")
    instruction: str = column("what is asked")
    input: str = column("the text that the instruction works on, or empty")
    output: str = column("the response")
    document_id: str = column("id of the document that the instruction was written from")
    source: str = column("source of that document")
    licence: str = column("licence of that document, or empty")
    community: str = column("community of that document")
    topic: int = column("topic of that document")
    iteration: int = column("0 for seeds, then the number of the augmentation window")
    characteristic: str = column("difficulty tag, or empty")
    task_type: str = column("task-type tag, or empty")
    form: str = column("form tag")
    counterexamples: tuple[str, ...] = column("ids of the seeds shown as counterexamples")
    instruction_prompt: str = column("name and digest of the prompt that made the instruction")
    response_prompt: str = column("name and digest of the prompt that made the response")
    response_mode: str = column("direct, document, rag or rag+")
    retrieved: tuple[str, ...] = column("ids of the retrieved documents, best first")
    teacher: str = column("teacher, its model, revision and chat template")
    instruction_sampling: str = column("how the instruction was drawn")
    response_sampling: str = column("how the response was drawn")
    instruction_cut_tokens: int = column("tokens of the document that had no room in the instruction's prompt")
    response_cut_tokens: int = column("tokens of the documents that had no room in the response's prompt")
    private: float = column("teacher's probability that the instruction is about a private person")
    unsafe: float = column("teacher's probability that answering does harm")
    answerable: float = column("teacher's probability that it can be answered as it stands")
    similarity: float = column("largest cosine to any instruction kept before it; -1 for the first")
    output_tokens: int = column("length of the response in the teacher's tokens")
    carried_id: str = column("the corpus' own id of the document, or empty", default="")
    phases: str = column("phases and their versions that it went through, in order, such as seeds@1", default="")
    flags: tuple[str, ...] = column(
        "what its text holds that a tool may act on: link, script, chat_markup, tool_call", default=()
    )
    method: str = column("the method that made it; file for a row of an instruction file", default=FANNO)
    made_from: tuple[str, ...] = column("ids of the rows that a method made it of", default=())


@dataclass(frozen=True, slots=True)
class SeedState:
    """What the bandit knows of one seed."""

    seed_id: str = column("id of the instruction")
    shown: int = column("how often it was a counterexample")
    reward: float = column("sum of the rewards of its children, each in [0, 1]")
    length: int = column("tokens of its response; 0 where the bandit does not need it")


@dataclass(frozen=True, slots=True)
class Rejection:
    """A row that a phase did not keep, and why."""

    id: str = column("id of the row, or of the source where no row could be read")
    phase: str = column("phase that rejected it")
    reason: str = column("reason code, such as near_duplicate")
    detail: str = column("what was measured: a score, the id of the row it repeats, a file name", default="")
    document_id: str = column("document it belongs to, or empty", default="")
    source: str = column("where it was read", default="")
    text: str = column("the rejected text, or empty where none could be read", default="")


class Pair(Protocol):
    """An instruction with its answer, such as an `Example`."""

    @property
    def instruction(self) -> str:
        """What is asked."""

    @property
    def input(self) -> str:
        """The text that the instruction works on, or empty."""

    @property
    def output(self) -> str:
        """The answer."""


def question_of(row: Instruction | Example) -> str:
    """What is put to the teacher: the instruction, and its input on the lines after it."""
    return question_text(row.instruction, row.input)


def question_text(instruction: str, given: str) -> str:
    """The same of an instruction and its input, which may be empty."""
    return f"{instruction}\n{given}" if given else instruction


def rejected(
    row: Document | Placed | Instruction | Example, phase: str, reason: str, detail: str = "", output: str = ""
) -> Rejection:
    """The rejection of a row: who, where, why, and its text, with the response where that is what was rejected."""
    if isinstance(row, (Document, Placed)):
        return Rejection(row.id, phase, reason, detail, row.id, row.source, row.text)
    text = f"{question_of(row)}\n\n{output}" if output else question_of(row)
    return Rejection(row.id, phase, reason, detail, row.document_id, row.source, text)


@cache
def schema_of(contract: type[Any]) -> pa.Schema:
    """The Parquet schema of a contract: one non-null column a field, in order."""
    hints = get_type_hints(contract)
    return pa.schema(
        [
            pa.field(f.name, ARROW_TYPES[hints[f.name]], nullable=False, metadata={"meaning": f.metadata["meaning"]})
            for f in fields(contract)
        ],
        metadata={"contract": contract.__name__},
    )


def key_of(contract: type[Any]) -> str:
    """The name of the column that identifies a row."""
    return fields(contract)[0].name
