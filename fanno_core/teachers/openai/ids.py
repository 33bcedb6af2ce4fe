"""Asking vLLM with token ids: chat markup in a document stays text, and a prompt is cut by tokens before it is sent."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import orjson

from fanno_core.teachers.chat import Prompt, PromptEncoder, fitted_prompts
from fanno_core.teachers.openai.faults import TooLong, Unfit
from fanno_core.teachers.openai.questions import NEUTRAL, TOP_LOGPROBS, Question, drawn_by, seeded_by
from fanno_core.teachers.openai.replies import judged, only_choice, probability, shares_of, written
from fanno_core.teachers.protocol import LINE_END, Answer, Request

# How vLLM spells a token when asked for ids.
TOKEN = "token_id:"  # noqa: S105
BY_TOKEN = "logprob_token_ids"  # noqa: S105


class Ids:
    """Completions of token ids.

    A verdict may only be one of its choices' tokens, while the log-probabilities that vLLM reports (in its default
    `raw_logprobs`) are those before that restriction, so that an answer that would have been neither is noticed.
    They are asked for by token; an older vLLM that reports the likeliest tokens instead is asked for more of those.

    Args:
        model: name of the model on the server.
        encoder: prompts to ids.
        context: tokens that prompt and answer may have together.
        min_choice_mass: the least probability that a verdict's choices must have together.
    """

    name = "ids"
    path = "completions"

    def __init__(self, model: str, encoder: PromptEncoder, context: int, min_choice_mass: float) -> None:
        self._model = model
        self._encoder = encoder
        self._context = context
        self._min_mass = min_choice_mass

    def questions(self, requests: Sequence[Request]) -> list[Question | None]:
        """What to send for each request; None where it cannot fit the model's context."""
        prompts = fitted_prompts(requests, self._encoder, self._context)
        return [
            self._question(request, prompt) if prompt else None
            for request, prompt in zip(requests, prompts, strict=True)
        ]

    def shorter(self, question: Question, said: TooLong) -> Question | None:  # noqa: ARG002 - as every way has it
        """None: what was sent fits the context that the server told at first."""
        return None

    def answer(self, question: Question, reply: Mapping[str, Any], without: Collection[str] = ()) -> Answer:
        """What the server's reply says.

        Raises:
            Passing: it is no reply to one prompt.
            Unfit: the server took no notice of an option.
        """
        choice, request = only_choice(reply), question.request
        if not request.choices:
            return written(reply, choice.get("text"), question.cut_tokens)
        likely = _first_token(choice)
        tokens = [[f"{TOKEN}{id_}" for id_ in ids] for ids in self._encoder.choice_ids(request.choices)]
        if likely and BY_TOKEN not in without and not likely.keys() >= {token for row in tokens for token in row}:
            raise Unfit(BY_TOKEN)
        shares = shares_of(tokens, likely) if likely else None
        return judged(reply, request.choices, shares, choice.get("text"), self._min_mass, question.cut_tokens)

    def _question(self, request: Request, prompt: Prompt) -> Question:
        max_tokens = min(request.sampling.max_tokens, self._context - len(prompt.ids))
        body: dict[str, Any] = {
            "model": self._model,
            # As bytes: a list of ints takes ten times the memory while it waits for its turn.
            "prompt": orjson.Fragment(orjson.dumps(prompt.ids)),
            "add_special_tokens": False,
            **NEUTRAL,
            **drawn_by(request.sampling, max_tokens),
        }
        if request.bare:
            body["stop"] = [LINE_END]
        if not request.choices:
            return Question(request, body, seeded_by(request.sampling), prompt.cut_tokens)
        allowed = sorted(id_ for ids in self._encoder.choice_ids(request.choices) for id_ in ids)
        body |= {"max_tokens": 1, "temperature": 0.0, "allowed_token_ids": allowed}
        told: dict[str, Mapping[str, Any]] = {
            "logprobs": {"logprobs": TOP_LOGPROBS, "return_tokens_as_token_ids": True},
            BY_TOKEN: {"logprobs": len(allowed), BY_TOKEN: allowed},
        }
        return Question(request, body, told, prompt.cut_tokens)


def _first_token(choice: Mapping[str, Any]) -> dict[str, float]:
    """Probability of each likely first token; empty where the server does not tell."""
    told = choice.get("logprobs")
    tops = told.get("top_logprobs") if isinstance(told, dict) else None
    first = tops[0] if isinstance(tops, list) and tops else None
    return {token: probability(value) for token, value in first.items()} if isinstance(first, dict) else {}
