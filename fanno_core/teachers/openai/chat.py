"""Asking with one user message, for which the server has the chat template: works with every server."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from fanno_core.errors import RunStops
from fanno_core.teachers.context import ANSWER_SHARE, fit, prompt_limit
from fanno_core.teachers.openai.faults import TooLong
from fanno_core.teachers.openai.questions import NEUTRAL, TOP_LOGPROBS, Question, drawn_by, seeded_by
from fanno_core.teachers.openai.replies import judged, only_choice, probability, shares_of, written
from fanno_core.teachers.protocol import Answer, Request

MOST_SHORTENED = 6
# What a document keeps where the server does not tell by how much the prompt is too long.
KEEP = 0.7
# Tokens are not spread evenly over a prompt: cut a little more than the average asks for.
MARGIN = 0.97


class Chat:
    """Chat completions.

    Args:
        model: name of the model on the server.
        context: tokens that prompt and answer may have together; 0: not known.
        min_choice_mass: the least probability that a verdict's choices must have together. vLLM restricts the answer
            to the choices before it reports log-probabilities, so there they always have all of it.
        lengths: length of each prompt in tokens; prompts that do not fit are cut before they are sent. None: the
            server complains, with its own numbers, and the prompt is cut then.
        estimate: about how many tokens a text has.
        is_vllm: whether every server is vLLM.
    """

    name = "chat"
    path = "chat/completions"

    def __init__(
        self,
        model: str,
        context: int,
        min_choice_mass: float,
        lengths: Callable[[Sequence[str]], list[int]] | None,
        estimate: Callable[[str], int],
        *,
        is_vllm: bool,
    ) -> None:
        self._model = model
        self._context = context
        self._min_mass = min_choice_mass
        self._lengths = lengths
        self._estimate = estimate
        self._is_vllm = is_vllm

    def questions(self, requests: Sequence[Request]) -> list[Question | None]:
        """What to send for each request; None where it cannot fit the model's context.

        Raises:
            RunStops: a request is bare, which no message is.
        """
        if any(request.bare for request in requests):
            raise RunStops(
                "teacher.name=openai goes on with a user's turn where every server of teacher.endpoints is vLLM and "
                "teacher.tokenizer is set; set it to the model's folder or hub name, or use another teacher"
            )
        if not self._context or not self._lengths:
            return [self._question(request, request.text, self._estimate(request.text)) for request in requests]
        lengths = self._lengths
        whole = lengths([request.text for request in requests])
        fitted = [
            fit(request, self._context, lambda text: lengths([text])[0], tokens)
            for request, tokens in zip(requests, whole, strict=True)
        ]
        return [
            self._question(request, found.text, found.tokens, found.cut_tokens) if found else None
            for request, found in zip(requests, fitted, strict=True)
        ]

    def shorter(self, question: Question, said: TooLong) -> Question | None:
        """The question again, with less room for the answer or less of its documents."""
        if question.shortened == MOST_SHORTENED:
            return None
        request, context = question.request, said.context or self._context
        whole_tokens = question.whole_tokens if question.cut_tokens else said.tokens
        question = replace(question, shortened=question.shortened + 1, whole_tokens=whole_tokens)
        limit = prompt_limit(context, request.sampling.max_tokens) if context else 0
        if context and said.tokens <= limit:
            room = max(1, context - said.tokens if said.tokens else context // ANSWER_SHARE)
            if room < question.body["max_tokens"]:
                return replace(question, body={**question.body, "max_tokens": room})
        tokens = said.tokens or self._estimate(question.body["messages"][0]["content"])
        return self._cut(question, limit / tokens * MARGIN if 0 < limit < tokens else 0.0)

    def answer(self, question: Question, reply: Mapping[str, Any], without: Collection[str] = ()) -> Answer:  # noqa: ARG002
        """What the server's reply says.

        Raises:
            Passing: it is no reply to one prompt.
        """
        choice, request = only_choice(reply), question.request
        message = choice.get("message")
        text = message.get("content") if isinstance(message, dict) else None
        if not request.choices:
            answer = written(reply, text, question.cut_tokens)
        else:
            likely = _first_token(choice)
            shares = shares_of([[choice] for choice in request.choices], likely) if likely else None
            answer = judged(reply, request.choices, shares, text, self._min_mass, question.cut_tokens)
        if question.cut_tokens and question.whole_tokens > answer.prompt_tokens > 0:
            return replace(answer, cut_tokens=question.whole_tokens - answer.prompt_tokens)
        return answer

    def _question(self, request: Request, text: str, tokens: int, cut_tokens: int = 0) -> Question:
        sampling = request.sampling
        max_tokens = sampling.max_tokens
        if self._context:  # vLLM refuses a prompt that would fit were it not for the room kept for its answer
            max_tokens = max(1, min(max_tokens, max(self._context - tokens, self._context // ANSWER_SHARE)))
        body = {"model": self._model, **(NEUTRAL if self._is_vllm else {}), **drawn_by(sampling, max_tokens)}
        body["messages"] = [{"role": "user", "content": text}]
        if not request.choices:
            return Question(request, body, seeded_by(sampling), cut_tokens)
        body |= {"max_tokens": 1, "temperature": 0.0}
        told: dict[str, Mapping[str, Any]] = {"logprobs": {"logprobs": True, "top_logprobs": TOP_LOGPROBS}}
        if self._is_vllm:
            told["structured_outputs"] = {"structured_outputs": {"choice": list(request.choices)}}
        return Question(request, body, told, cut_tokens)

    def _cut(self, question: Question, share: float) -> Question | None:
        """The question with its prompt cut at the documents' end.

        Args:
            question: what was too long.
            share: of the whole prompt, to keep; 0: a fixed share of the documents.
        """
        request = question.request
        start, end = request.documents
        before = question.body["messages"][0]["content"]
        kept = len(before) - (len(request.text) - (end - start))  # characters of the documents that are left
        keep = int(kept - len(before) * (1 - share)) if share else int(kept * KEEP)
        if keep <= 0:
            return None
        text = request.text[: start + keep].rstrip() + request.text[end:]
        cut_tokens = max(1, self._estimate(request.text) - self._estimate(text))
        return replace(
            question,
            body={**question.body, "messages": [{"role": "user", "content": text}]},
            cut_tokens=cut_tokens,
        )


def _first_token(choice: Mapping[str, Any]) -> dict[str, float]:
    """Probability of each likely first token, without space around it; empty where the server does not tell."""
    told = choice.get("logprobs")
    content = told.get("content") if isinstance(told, dict) else None
    first = content[0] if isinstance(content, list) and content else None
    if not isinstance(first, dict):
        return {}
    named = first.get("top_logprobs")
    spelled = {
        token["token"]: probability(token.get("logprob"))
        for token in [*(named if isinstance(named, list) else []), first]
        if isinstance(token, dict) and isinstance(token.get("token"), str)
    }
    likely: dict[str, float] = {}
    for token, value in spelled.items():
        likely[token.strip()] = likely.get(token.strip(), 0.0) + value
    return likely
