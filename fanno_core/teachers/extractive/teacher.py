"""A teacher without weights: small, deterministic, honest about what it is.

It judges by measured features, asks by wordings about the document's key phrases, and answers with the document's
own sentences. It shows the whole pipeline at work in minutes on any machine; it does not replace a language model.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence

from fanno_core.errors import RunStops
from fanno_core.teachers.extractive import generated, transformed
from fanno_core.teachers.extractive.instructions import different_instruction, seed_instruction
from fanno_core.teachers.extractive.responses import respond
from fanno_core.teachers.extractive.scored import response_score, triplet_score
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
    "self_instruct_tasks": generated.tasks,
    "self_instruct_classification": generated.classification,
    "self_instruct_input_first": generated.input_first,
    "self_instruct_output_first": generated.output_first,
    "alpaca_tasks": generated.blocks,
    "oss_instruct": generated.problem,
    "oss_instruct_open": generated.problem,
    "backtranslate": generated.backwards,
    "backtranslation_score": generated.pair_score,
    "backtranslation_score_again": generated.pair_score,
    "judge_triplet": triplet_score,
    "humpback_score": response_score,
    "evol_constraints": transformed.harder("constraints"),
    "evol_deepen": transformed.harder("deepen"),
    "evol_concretize": transformed.harder("concretize"),
    "evol_reasoning": transformed.harder("reasoning"),
    "evol_breadth": transformed.rarer,
    "evol_complicate": transformed.with_data,
    "evol_equal": transformed.equal,
    "reflect_merge": transformed.merged,
    "reflect_instruction": transformed.reflected_question,
    "reflect_response": transformed.reflected_answer,
}
"""Who writes the answer, by the name of the prompt; `_writer` says who does where a prompt is not among them."""


class ExtractiveTeacher:
    """Answers prompts from their fields, without a model."""

    identity = Identity("extractive", "extractive", str(VERSION))
    needs_context = True
    can_continue = False

    async def answers(self, requests: Sequence[Request]) -> AsyncGenerator[tuple[int, Answer]]:
        """The place of each request with its answer; each depends on its own request alone.

        Raises:
            RunStops: a prompt has neither instruction nor document to go by, or is the beginning of a user's turn.
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
    text, tokens, whole = _cut(_writer(name, request.fields)(request.fields), request.sampling.max_tokens)
    return Answer(text, "stop" if whole else "length", None, prompt_tokens, tokens)


def _writer(name: str, fields: Mapping[str, str]) -> Callable[[Mapping[str, str]], str]:
    """Who writes the answer. A prompt of a method that was added is answered by what it shows."""
    if name in WRITERS:
        return WRITERS[name]
    if "instruction" in fields:
        return respond
    if "document" in fields:
        return seed_instruction
    raise RunStops(
        f"the extractive teacher does not know the prompt {name!r}, which shows neither instruction nor document: "
        "add it to WRITERS in fanno_core/teachers/extractive/teacher.py, or choose another teacher"
    )


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
