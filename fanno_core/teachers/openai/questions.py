"""A request as it is sent, and what the two ways to send it have in common."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from fanno_core.teachers.openai.faults import TooLong
from fanno_core.teachers.protocol import Answer, Request, Sampling

TOP_LOGPROBS = 20
# vLLM would otherwise take these from the model's folder, where the settings do not show them.
NEUTRAL = {"top_k": 0, "min_p": 0.0, "repetition_penalty": 1.0}


@dataclass(frozen=True, slots=True)
class Question:
    """What is sent for one request.

    Attributes:
        request: where it comes from.
        body: fields of the JSON object that is sent.
        options: further fields by a name for them; a server that refuses some is asked without them.
        cut_tokens: how many tokens the documents lost so that the prompt fits.
        whole_tokens: length of the prompt before that, where the server told it; else 0.
        shortened: how often the server found it too long.
    """

    request: Request
    body: Mapping[str, Any]
    options: Mapping[str, Mapping[str, Any]]
    cut_tokens: int = 0
    whole_tokens: int = 0
    shortened: int = 0

    def encoded(self, without: Collection[str] = ()) -> bytes:
        """The JSON that is sent, without the options of these names."""
        told = dict(self.body)
        for name, fields in self.options.items():
            if name not in without:
                told |= fields
        return orjson.dumps(told)


class Way(Protocol):
    """How requests are put to a server."""

    name: str
    path: str

    def questions(self, requests: Sequence[Request]) -> list[Question | None]:
        """What to send for each request; None where it cannot fit the model's context."""
        ...

    def shorter(self, question: Question, said: TooLong) -> Question | None:
        """The question again, so that it fits better; None where no more can be done."""
        ...

    def answer(self, question: Question, reply: Mapping[str, Any], without: Collection[str] = ()) -> Answer:
        """What the server's reply says to a question that was asked without these options.

        Raises:
            Passing: it is no reply to one prompt.
            Unfit: the server took no notice of an option.
        """
        ...


def drawn_by(sampling: Sampling, max_tokens: int) -> dict[str, Any]:
    """The fields that say how the answer is drawn, all but the seed."""
    fields: dict[str, Any] = {"max_tokens": max_tokens, "temperature": sampling.temperature}
    return fields | {"top_p": sampling.top_p} if sampling.temperature > 0 else fields


def seeded_by(sampling: Sampling) -> dict[str, Mapping[str, Any]]:
    """The seed, as an option: not every server knows it."""
    return {"seed": {"seed": sampling.seed}} if sampling.temperature > 0 else {}
