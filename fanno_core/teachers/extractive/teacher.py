"""A teacher without weights: small, deterministic, honest about what it is.

It judges by measured features, asks by wordings about the document's key phrases, and answers with the document's
own sentences. It shows the whole pipeline at work in minutes on any machine; it does not replace a language model.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence

from fanno_core.errors import RunStops
from fanno_core.teachers.extractive.instructions import different_instruction, seed_instruction
from fanno_core.teachers.extractive.responses import respond
from fanno_core.teachers.extractive.verdicts import VERDICTS
from fanno_core.teachers.protocol import Answer, Identity, Request

VERSION = 1
"""Raise it with every change that can change an answer: it is part of each row and of each fingerprint."""

TOKEN = re.compile(r"\w+|[^\w\s]")

WRITERS: dict[str, Callable[[Mapping[str, str]], str]] = {
    "seed_instruction": seed_instruction,
    "think_different": different_instruction,
    "augment_without_examples": different_instruction,
    "response_direct": respond,
    "response_document": respond,
    "response_rag": respond,
    "response_rag_plus": respond,
}
"""Who writes the answer, by the name of the prompt."""


class ExtractiveTeacher:
    """Answers every prompt of `fanno_core/prompts` from its fields, without a model."""

    identity = Identity("extractive", "extractive", str(VERSION))
    needs_context = True
    can_continue = False

    async def answers(self, requests: Sequence[Request]) -> AsyncGenerator[tuple[int, Answer]]:
        """The place of each request with its answer; each depends on its own request alone.

        Raises:
            RunStops: a prompt has a name that this teacher does not know, or is the beginning of a user's turn.
        """
        for place, request in enumerate(requests):
            yield place, _answer(request)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Words and punctuation marks of each text: near what a tokenizer of whole words would count."""
        return [sum(1 for _ in TOKEN.finditer(text)) for text in texts]


def _answer(request: Request) -> Answer:
    if request.bare:
        raise RunStops(
            "teacher.name=extractive has no chat template to go on with; choose a teacher with a language model"
        )
    name = request.prompt.partition("@")[0]  # a label is the name and the digest of the file
    prompt_tokens = sum(1 for _ in TOKEN.finditer(request.text))
    if name in VERDICTS:
        return _verdict(request, VERDICTS[name](request.fields), prompt_tokens)
    if name not in WRITERS:
        raise RunStops(
            f"the extractive teacher does not know the prompt {name!r}: "
            "add it to WRITERS in fanno_core/teachers/extractive/teacher.py, or choose another teacher"
        )
    text, tokens, whole = _cut(WRITERS[name](request.fields), request.sampling.max_tokens)
    return Answer(text, "stop" if whole else "length", None, prompt_tokens, tokens)


def _verdict(request: Request, probability: float, prompt_tokens: int) -> Answer:
    """The verdict as one of the choices; the prompts write 1 for yes."""
    text = "1" if probability >= 0.5 else "0"
    if not request.choices:
        return Answer(text, "stop", None, prompt_tokens, 1)
    first = probability if request.choices[0] == "1" else 1 - probability
    return Answer(text, "stop", first, prompt_tokens, 1)


def _cut(text: str, limit: int) -> tuple[str, int, bool]:
    """The text within a limit of tokens, its length, and whether it is whole."""
    count = 0
    for found in TOKEN.finditer(text):
        if count == limit:
            return text[: found.start()].rstrip(), count, False
        count += 1
    return text, count, True
