"""What there is to say about one row or document of a run, kept or rejected."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from fanno_core.store.contracts import Example, Instruction, question_text


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of it: the phase that kept it last, or the one that rejected it and why."""

    kept: bool
    phase: str
    reason: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """What one filter found.

    Attributes:
        phase: the phase that it belongs to.
        name: what was looked at.
        passed: whether that was good enough.
        score: what was measured; None where nothing is.
        limit: what the settings ask for, such as `>= 0.5`.
        detail: further words of the phase.
    """

    phase: str
    name: str
    passed: bool
    score: float | None = None
    limit: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """The document: `text` as prompts show it, with personal data masked, empty where none could be read."""

    id: str
    source: str
    text: str
    location: str = ""
    carried_id: str = ""
    licence: str = ""
    language: str = ""
    words: int = 0
    personal_data: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where the document stands among the others: its community, its rank there, its turn in the queue."""

    community: str
    members: int
    rank: int
    order: int
    topic: int


@dataclass(frozen=True, slots=True)
class Written:
    """The instruction as it was written, with its tags."""

    id: str
    instruction: str
    input: str
    iteration: int
    characteristic: str
    task_type: str
    form: str
    teacher: str
    sampling: str
    prompt: str

    @property
    def question(self) -> str:
        """What is put to the teacher: the instruction, and its input on the lines after it."""
        return question_text(self.instruction, self.input)


def as_written(row: Instruction | Example, prompt: str, sampling: str) -> Written:
    """What is told of a row as it was written.

    Args:
        row: the row, with or without its response.
        prompt: label of the prompt that gave its instruction.
        sampling: how that was drawn.
    """
    return Written(
        id=row.id,
        instruction=row.instruction,
        input=row.input,
        iteration=row.iteration,
        characteristic=row.characteristic,
        task_type=row.task_type,
        form=row.form,
        teacher=row.teacher,
        sampling=sampling,
        prompt=prompt,
    )


@dataclass(frozen=True, slots=True)
class Shown:
    """A row that a prompt showed: a counterexample, or a retrieved document."""

    id: str
    text: str
    source: str


@dataclass(frozen=True, slots=True)
class Asked:
    """One question to the teacher, and its answer.

    Attributes:
        about: id of the row that it was asked for.
        prompt: name and digest of the prompt file.
        sampling: how the answer was drawn.
        text: the prompt as sent; None where it cannot be told.
        answer: what came back; None where the journal does not hold it.
        finish: how the answer ended, see `fanno_core.teachers.protocol.Answer`.
        probability: of "1", for verdicts.
        prompt_tokens, completion_tokens, cached_tokens, cut_tokens: as the teacher counted them.
        note: what a reader has to know: why something is missing, or that the prompt was cut.
    """

    about: str
    prompt: str
    sampling: str
    text: str | None
    answer: str | None
    finish: str = ""
    probability: float | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    cut_tokens: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Response:
    """The response that the data set holds, or that was rejected."""

    mode: str
    text: str
    tokens: int
    sampling: str
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Child:
    """A row that was written from a document, and what became of it."""

    id: str
    instruction: str
    kept: bool
    phase: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """All of it; what does not apply is None or empty.

    Attributes:
        id: its id, whole.
        kind: `row` for what was written, `document` for what was read.
        fate: what became of it.
        document: the document that it is, or was written from.
        screening: what each filter of documents found, in order.
        place: community and topic of the document.
        instruction: the instruction.
        counterexamples: what its prompt said not to resemble.
        filters: what each filter of instructions and responses found, in order.
        response: the response.
        retrieved: the documents that the response was given, best first.
        questions: what the teacher was asked and answered, in order.
        children: for a document, what was written from it.
        parents: the rows that a method made it of.
        notes: what could not be told, and why.
    """

    id: str
    kind: Literal["row", "document"]
    fate: Fate
    document: Source | None = None
    screening: tuple[Check, ...] = ()
    place: Place | None = None
    instruction: Written | None = None
    counterexamples: tuple[Shown, ...] = ()
    filters: tuple[Check, ...] = ()
    response: Response | None = None
    retrieved: tuple[Shown, ...] = ()
    questions: tuple[Asked, ...] = ()
    children: tuple[Child, ...] = ()
    parents: tuple[Shown, ...] = ()
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)
