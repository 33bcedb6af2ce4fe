"""A teacher that is not asked: its answers are as long and as favourable as those of the demo's teacher were."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from types import MappingProxyType

from fanno_core.settings import Settings
from fanno_core.teachers.protocol import Answer, Request, Teacher
from fanno_core.text import stable_id

YES: Mapping[str, float] = MappingProxyType(
    {
        "document_quality": 0.78,
        "document_advertisement": 0.08,
        "document_privacy": 0.0,
        "instruction_privacy": 0.0,
        "instruction_safety": 0.0,
        "instruction_answerable": 1.0,
    }
)
"""Share of rows whose verdict is 1. Source: the demo's run, 640 documents and 1,301 instructions."""

TOKENS: Mapping[str, float] = MappingProxyType(
    {
        "seed_instruction": 44,
        "think_different": 20,
        "augment_without_examples": 20,
        "response_direct": 56,
        "response_document": 56,
        "response_rag": 56,
        "response_rag_plus": 56,
    }
)
"""Mean length of an answer in tokens. Source: the demo's run; language models write several times as much."""

NOVEL = 0.91
"""Share of seeds that are near-equal to no other. Source: the demo's run, 873 of 960."""

ASSUMED: Mapping[str, float] = MappingProxyType(
    {f"{name}, share of yes": share for name, share in YES.items()}
    | {f"{name}, tokens an answer": tokens for name, tokens in TOKENS.items()}
    | {"novelty, share of seeds kept": NOVEL}
)
"""All that is taken for granted where nobody is asked."""


class Pretended:
    """Stands in for a teacher that is not to be asked; only its tokens are counted.

    Verdicts are drawn by `YES`, from the request alone. What it writes are words of the document or instruction that
    it is shown, as many as `TOKENS` says.

    Args:
        teacher: whose tokens count.
    """

    def __init__(self, teacher: Teacher) -> None:
        self._teacher = teacher
        self.identity = teacher.identity
        self.needs_context = teacher.needs_context
        self.can_continue = False

    async def answers(self, requests: Sequence[Request]) -> AsyncGenerator[tuple[int, Answer]]:
        """The place of each request with an answer that nobody gave."""
        lengths = self.count_tokens([request.text for request in requests])
        for place, (request, length) in enumerate(zip(requests, lengths, strict=True)):
            if request.prompt in YES:
                yield place, Answer("1" if _drawn(request) < YES[request.prompt] else "0", "stop", None, length, 1)
            else:
                tokens = min(int(TOKENS[request.prompt]), request.sampling.max_tokens)
                yield place, Answer(self._written(request, tokens), "stop", None, length, tokens)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Length of each text in the teacher's tokens."""
        return self._teacher.count_tokens(texts)

    def _written(self, request: Request, tokens: int) -> str:
        """About so many tokens of what the request shows, from a place that depends on the request."""
        words = (request.fields.get("document") or request.fields["instruction"]).split()
        start = int(_drawn(request) * len(words))
        turned = words[start:] + words[:start]
        [length] = self.count_tokens([" ".join(words)])
        return " ".join(turned[: max(1, tokens * len(words) // max(length, 1))])


def _drawn(request: Request) -> float:
    """A number in [0, 1) that depends on the prompt's text alone."""
    return int(stable_id(request.prompt, request.text), 16) / 2**64


def unfiltered(settings: Settings) -> Settings:
    """The settings without the filters that read wording, since a stand-in's words say nothing."""
    filters = settings.filters.model_copy(update={"hard": "none", "novelty": 1.0})
    responses = settings.responses.model_copy(update={"max_repetition": 1.0, "max_copy": 1.0})
    return settings.model_copy(update={"filters": filters, "responses": responses})
