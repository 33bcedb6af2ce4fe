"""What a teacher is asked, what it answers, and the one verb that every teacher has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the answer is drawn. Temperature 0 is greedy; `seed` makes the rest repeatable."""

    max_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Request:
    """One question to the teacher.

    `text` is the whole prompt as a user message. `fields` are the values it was rendered from, for teachers
    that answer from structure. With `choices`, the answer is one of those two tokens and carries a probability.
    """

    row_id: str
    prompt: str
    text: str
    sampling: Sampling
    fields: Mapping[str, str] = field(default_factory=dict)
    choices: tuple[str, ...] = ()
    document_id: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    `probability` belongs to the first of the request's choices, in [0, 1]; None where there were no choices or
    where the answer was none of them. `finish` is `length` for an answer cut at `max_tokens` and
    `context` for a prompt that did not fit the model (then `text` is empty).
    """

    text: str
    finish: Literal["stop", "length", "context"] = "stop"
    probability: float | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Identity:
    """Who answers. Part of every fingerprint and of every row, since another teacher gives other bytes.

    `options` is what else its answers depend on, such as precision and context; rows do not show it.
    """

    name: str
    model: str
    revision: str
    options: str = ""

    def __str__(self) -> str:
        return f"{self.name}/{self.model}@{self.revision}"


class Teacher(Protocol):
    """Anything that can judge, ask and answer."""

    identity: Identity
    needs_context: bool
    """True where the teacher knows nothing by itself and can only answer from documents."""

    async def answer(self, requests: Sequence[Request]) -> list[Answer]:
        """Answers in the order of the requests; each depends on its own request alone.

        Raises:
            TryAgain: a passing fault.
            RunStops: the teacher cannot be used as it is set up.
        """
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Length of each text in the teacher's own tokens, without special tokens."""
        ...
