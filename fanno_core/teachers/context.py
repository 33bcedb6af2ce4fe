"""Prompts that are longer than a model's context: they are cut at the document, by tokens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fanno_core.teachers.protocol import Request

# Room that is kept for an answer, as a share of the context, however many tokens the answer may have at most.
ANSWER_SHARE = 4


@dataclass(frozen=True, slots=True)
class Fitted:
    """A prompt that fits.

    Attributes:
        text: the prompt.
        tokens: its length.
        cut_tokens: how many tokens shorter it became.
    """

    text: str
    tokens: int
    cut_tokens: int = 0


def prompt_limit(context: int, max_tokens: int) -> int:
    """Tokens that a prompt may have: the context less its answer, for which at most a quarter is kept free."""
    return context - min(max_tokens, max(1, context // ANSWER_SHARE))


def fit(request: Request, context: int, length_of: Callable[[str], int], tokens: int | None = None) -> Fitted | None:
    """The request's prompt, its documents cut at their end to the longest beginning with which it fits.

    Args:
        request: what is asked.
        context: tokens that the model has for prompt and answer together.
        length_of: length of a whole prompt in the model's tokens, chat template included.
        tokens: that length for the whole request, where it is known already.

    Returns:
        None where it would not fit without any document.
    """
    start, end = request.documents
    # What cannot be cut may leave less room for its answer.
    limit = prompt_limit(context, request.sampling.max_tokens) if end > start else context - 1
    whole = length_of(request.text) if tokens is None else tokens
    if whole <= limit:
        return Fitted(request.text, whole)
    # The most characters that fit: a longer beginning has no fewer tokens, but for a token or two at the seam.
    fits, over = 0, end - start
    best: Fitted | None = None
    while fits < over:
        middle = (fits + over) // 2
        text = request.text[: start + middle].rstrip() + request.text[end:]
        length = length_of(text)
        if middle and length <= limit:
            fits, best = middle + 1, Fitted(text, length, whole - length)
        elif middle:
            over = middle
        else:
            break
    return best
