"""What a teacher is asked, what it answers, and the one verb that every teacher has."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Literal, Protocol

from fanno_core.errors import RunStops

UNANSWERED = {"context": "prompt_too_long", "refused": "request_refused"}
"""Why a row is rejected, by how its answer finished."""


LINE_END = "\n"
"""What ends the answer to a bare request, as the end of a turn does."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the answer is drawn. Temperature 0 is greedy; `seed` makes the rest repeatable."""

    max_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0

    def __str__(self) -> str:
        return f"temperature={self.temperature:g} top_p={self.top_p:g} max_tokens={self.max_tokens} seed={self.seed}"


@dataclass(frozen=True, slots=True)
class Request:
    """One question to the teacher.

    `text` is the whole prompt as a user message. `fields` are the values it was rendered from, for teachers
    that answer from structure. With `choices`, the answer is one of those two tokens and carries a probability.
    `documents` is the span of `text` that may be shortened where the model's context is too small for all of it.
    A `bare` request is no message: its text, which may be empty, is what a user's turn begins with. It is sent inside
    the opening of the model's chat template, and the model goes on to the end of that turn or of its first line.
    Requests of one `document_id` share a beginning and are best asked of the same server, one after the other.
    """

    row_id: str
    prompt: str
    text: str
    sampling: Sampling
    fields: Mapping[str, str] = field(default_factory=dict)
    choices: tuple[str, ...] = ()
    document_id: str = ""
    documents: tuple[int, int] = (0, 0)
    bare: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    `probability` belongs to the first of the request's choices, in [0, 1]; None where there were no choices or
    where the answer was none of them. `finish` is `length` for an answer cut at `max_tokens`,
    `context` for a prompt that did not fit the model and `refused` for one that the server would not take (then
    `text` is empty). `cached_tokens` of the prompt came from the server's prefix cache; `cut_tokens` were taken from
    the request's documents so that it fitted.
    """

    text: str
    finish: Literal["stop", "length", "context", "refused"] = "stop"
    probability: float | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    cut_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Identity:
    """Who answers. Part of every fingerprint and of every row, since another teacher gives other bytes.

    `template` names the chat template by the first digits of its digest; empty where there is none, or where the
    server keeps it to itself. `options` is what else answers depend on, such as precision and context; rows do not
    show it.
    """

    name: str
    model: str
    revision: str
    template: str = ""
    options: str = ""

    def __str__(self) -> str:
        return f"{self.name}/{self.model}@{self.revision}" + (f"#{self.template}" if self.template else "")


def finish_fault(answer: Answer) -> str:
    """Why an answer is of no use where all of it is needed, by how it finished; empty where it is whole."""
    return "cut_off" if answer.finish == "length" else UNANSWERED.get(answer.finish, "")


class Teacher(Protocol):
    """Anything that can judge, ask and answer."""

    identity: Identity
    needs_context: bool
    """True where the teacher knows nothing by itself and can only answer from documents."""

    @property
    def can_continue(self) -> bool:
        """Whether it can go on with the opening of its chat template, as `bare` requests want."""
        ...

    def answers(self, requests: Sequence[Request]) -> AsyncGenerator[tuple[int, Answer]]:
        """The place of each request with its answer, as the answers come; each depends on its own request alone.

        Who stops listening closes it, and what is not yet asked is not asked any more.

        Raises:
            TryAgain: a passing fault.
            RunStops: the teacher cannot be used as it is set up.
        """
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Length of each text in the teacher's own tokens, without special tokens."""
        ...


async def ask(teacher: Teacher, requests: Sequence[Request]) -> list[Answer]:
    """Every answer, in the order of the requests.

    Raises:
        TryAgain, RunStops: from the teacher.
    """
    async with aclosing(teacher.answers(requests)) as answers:
        found = {place: answer async for place, answer in answers}
    if len(found) != len(requests):
        raise RunStops(f"teacher {teacher.identity} answered {len(found)} of {len(requests)} requests")
    return [found[place] for place in range(len(requests))]
