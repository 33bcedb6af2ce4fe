"""A server's reply to an answer. What is missing in it is never made up, and no verdict is taken for granted."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fanno_core.teachers.choice import chosen
from fanno_core.teachers.openai.faults import Passing
from fanno_core.teachers.protocol import Answer

# The last digits differ with what else the server has in its batch; a probability ends up in rows, whose bytes
# must not.
# vLLM's words for a request that it dropped, such as when it is shut down.
DROPPED = {"abort", "error"}


def only_choice(reply: Mapping[str, Any]) -> Mapping[str, Any]:
    """The one completion in a reply.

    Raises:
        Passing: there is none, or more than one, or the server dropped the request.
    """
    choices = reply.get("choices")
    if not isinstance(choices, list) or len(choices) != 1 or not isinstance(choices[0], dict):
        raise Passing("an answer that does not hold exactly one choice")
    if choices[0].get("finish_reason") in DROPPED:
        raise Passing("an answer that was broken off")
    return choices[0]


def written(reply: Mapping[str, Any], text: object, cut_tokens: int) -> Answer:
    """The answer to a request for a text; empty where the server gives none.

    Raises:
        Passing: what it gives is no text.
    """
    choice = only_choice(reply)
    if text is not None and not isinstance(text, str):
        raise Passing("an answer whose content is no text")
    reason = choice.get("finish_reason")
    if reason == "content_filter":
        return Answer("", "refused", None, *used(reply), cut_tokens)
    # A surrogate without its other half is no UTF-8, and no row could hold it.
    text = (text or "").encode("utf-8", "replace").decode()
    return Answer(text, "length" if reason == "length" else "stop", None, *used(reply), cut_tokens)


def judged(
    reply: Mapping[str, Any],
    choices: Sequence[str],
    shares: Sequence[float] | None,
    text: object,
    min_mass: float,
    cut_tokens: int,
) -> Answer:
    """The answer to a request for one of two choices; empty, without a probability, where it is none of them.

    Args:
        reply: of the server.
        choices: what may be answered.
        shares: probability of each; None: the server does not tell, and `text` decides.
        text: what the server wrote.
        min_mass: the least that both together must have.
        cut_tokens: for the answer.
    """
    found, first = "", None
    if shares is None:
        found = text.strip() if isinstance(text, str) and text.strip() in choices else ""
    else:
        found, first = chosen(choices, shares, min_mass)
    return Answer(found, "stop", first, *used(reply), cut_tokens)


def shares_of(choices: Sequence[Iterable[str]], likely: Mapping[str, float]) -> list[float]:
    """Probability of each choice: the sum over the tokens that mean it.

    Args:
        choices: for each, its tokens.
        likely: probability of each token that the server names.
    """
    return [sum(likely.get(token, 0.0) for token in tokens) for tokens in choices]


def probability(logarithm: object) -> float:
    """The probability that a server wrote as its natural logarithm; 0 where it is no number."""
    return math.exp(min(logarithm, 0.0)) if isinstance(logarithm, int | float) and logarithm == logarithm else 0.0


def used(reply: Mapping[str, Any]) -> tuple[int, int, int]:
    """Tokens of the prompt, of the answer, and of the prompt that came from a cache; 0 where not told."""
    usage = _object(reply.get("usage"))
    cached = _object(usage.get("prompt_tokens_details")).get("cached_tokens")
    return _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens")), _count(cached)


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _count(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0
