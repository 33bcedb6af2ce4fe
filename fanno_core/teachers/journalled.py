"""A teacher whose every answer is written down before it is used, so that a resumed run asks nothing twice."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from fanno_core.outcome import Usage
from fanno_core.teachers.answer_journal import AnswerJournal
from fanno_core.teachers.protocol import Answer, Identity, Request, Teacher

# Answers that may wait for the disk: what a kill can lose beyond those in flight.
MOST_UNWRITTEN = 64


def request_key(request: Request, identity: Identity) -> str:
    """SHA-256 of all that an answer depends on: text and its place, choices, sampling, teacher; 64 hex digits."""
    sampling = request.sampling
    told: list[object] = [
        request.text,
        list(request.choices),
        [sampling.max_tokens, float(sampling.temperature), float(sampling.top_p), sampling.seed],
        [identity.name, identity.model, identity.revision, identity.template, identity.options],
    ]
    if request.bare:  # told only then, so that the keys of all other requests are what they were without it
        told.append("bare")
    return hashlib.sha256(json.dumps(told, separators=(",", ":")).encode()).hexdigest()


@dataclass(frozen=True)
class _End:
    """The teacher has said all it will, or failed."""

    error: Exception | None = None


class Journalled:
    """A teacher that looks into the journal first and asks only for what is not there.

    Each task has a wrapper of its own and reads what it `asked` at the end.

    Args:
        teacher: who is asked.
        journal: where the answers are.
    """

    def __init__(self, teacher: Teacher, journal: AnswerJournal) -> None:
        self._teacher = teacher
        self._journal = journal
        self.identity = teacher.identity
        self.needs_context = teacher.needs_context
        self.asked: dict[str, Usage] = {}
        """What was asked through this wrapper, by prompt: of the teacher, or replayed from the journal."""

    @property
    def can_continue(self) -> bool:
        """Whether the teacher can go on with the opening of its chat template."""
        return self._teacher.can_continue

    @property
    def usage(self) -> Usage:
        """What was asked, over all prompts."""
        return sum(self.asked.values(), Usage())

    async def answers(self, requests: Sequence[Request]) -> AsyncGenerator[tuple[int, Answer]]:
        """The place of each request with its answer, once it is written down; equal requests are asked once.

        Raises:
            TryAgain: a passing fault of the teacher or the journal.
            RunStops: the teacher or the journal cannot be used.
        """
        places: dict[str, list[int]] = {}
        for place, request in enumerate(requests):
            places.setdefault(request_key(request, self.identity), []).append(place)
        known = await asyncio.to_thread(self._journal.fetch, places)
        for key, answer in known.items():
            if answer.finish != "context":
                self._add(requests[places[key][0]].prompt, Usage(replayed=1))
            for place in places[key]:
                yield place, answer
        missing = {key: requests[same[0]] for key, same in places.items() if key not in known}
        if not missing:
            return
        async with aclosing(self._asked(missing)) as written:
            async for key, answer in written:
                for place in places[key]:
                    yield place, answer

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Length of each text in the teacher's tokens, without special tokens."""
        return self._teacher.count_tokens(texts)

    async def _asked(self, missing: dict[str, Request]) -> AsyncGenerator[tuple[str, Answer]]:
        """Fresh answers, written down. Those that arrive during one write make up the next."""
        keys = list(missing)
        arrived: asyncio.Queue[tuple[int, Answer] | _End] = asyncio.Queue(MOST_UNWRITTEN)
        asking = asyncio.create_task(self._ask(list(missing.values()), arrived))
        try:
            end = None
            while not end:
                group = [await arrived.get()]
                while not arrived.empty():
                    group.append(arrived.get_nowait())
                end = next((item for item in group if isinstance(item, _End)), None)
                fresh = {keys[item[0]]: item[1] for item in group if not isinstance(item, _End)}
                # A server that refuses a request today may be mended tomorrow: that is no answer to keep.
                pairs = {key: (missing[key], answer) for key, answer in fresh.items() if answer.finish != "refused"}
                for key, answer in (fresh | await asyncio.to_thread(self._journal.store, pairs)).items():
                    yield key, answer
            if end.error:
                raise end.error
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)

    def _count(self, prompt: str, answer: Answer) -> None:
        if answer.finish != "context":  # which was not even sent
            self._add(prompt, Usage(1, answer.prompt_tokens, answer.completion_tokens, answer.cached_tokens))

    def _add(self, prompt: str, used: Usage) -> None:
        self.asked[prompt] = self.asked.get(prompt, Usage()) + used

    async def _ask(self, requests: Sequence[Request], arrived: asyncio.Queue[tuple[int, Answer] | _End]) -> None:
        try:
            async with aclosing(self._teacher.answers(requests)) as answers:
                async for place, answer in answers:
                    self._count(requests[place].prompt, answer)
                    await arrived.put((place, answer))
        except Exception as error:
            await arrived.put(_End(error))
        else:
            await arrived.put(_End())
