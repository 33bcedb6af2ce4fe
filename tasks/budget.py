"""What a night may still cost: a job that could exceed it is not begun, and is left for the next night.

Calls are counted in bounds: before a job is begun, the most that it can ask is set aside, and what it did not ask is
given back when it has ended. So `refresh.max_calls` holds whatever the order and the number of jobs at a time. Answers
that stand in the journal are part of the bound, though they cost nothing: nobody can know of them before.

Tokens are estimated: by the mean of the phase so far, or else by `plan`'s figures. `refresh.max_tokens` can be
exceeded by what the jobs on the way take above the mean. `refresh.max_seconds` ends the beginning of jobs, and those
on the way end.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fanno_core.errors import BadSettings
from fanno_core.instructions.drafts import VERDICT_PROMPTS
from fanno_core.instructions.tags import tag_pool
from fanno_core.outcome import Usage
from fanno_core.plan.pretended import TOKENS
from fanno_core.screening import verdicts
from fanno_core.settings import Settings
from tasks.phase import Job

ASKING = ("verdicts", "seeds", "novelty", "augment", "responses")
CHARS_PER_TOKEN = 4
"""Of English text. Source: OpenAI, What are tokens and how to count them."""
SLICES = 16
"""Jobs that a whole budget should have room for: the larger one is, the more of the budget nobody can use."""


def calls_a_row(phase: str, settings: Settings) -> int:
    """The most calls that a phase makes for a row of its first input."""
    judged = len(VERDICT_PROMPTS) if settings.filters.judge else 0
    rated = int(settings.augment.bandit != "default" and settings.augment.selection == "ucb")
    calls = {
        "verdicts": len(verdicts.PROMPTS),
        "seeds": min(settings.seeds.per_document, len(tag_pool())) * (1 + judged),
        "novelty": rated,
        "augment": 1 + judged + rated,
        "responses": 1,
    }
    return calls.get(phase, 0)


def tokens_a_call(phase: str, settings: Settings) -> int:
    """What a call is expected to take before one was measured: documents as long as they can be, a short answer."""
    retrieves = phase == "responses" and settings.responses.mode in {"auto", "rag", "rag+"}
    shown = 1 + (settings.responses.retrieve if retrieves else 0)
    return math.ceil(shown * settings.ingest.segment_chars / CHARS_PER_TOKEN + max(TOKENS.values()))


@dataclass(eq=False)
class Room:
    """What is set aside for a job. `spent` is what it came to; without that, all of it counts as spent."""

    phase: str
    calls: int
    tokens: int
    spent: Usage | None = None


class Budget:
    """The rest of a night's budget; the night begins when it is made.

    Jobs get their room in the order in which they ask. One waits while those on the way may give back what it needs,
    so which jobs are admitted under `max_calls` depends on neither their speed nor their number at a time.

    Args:
        settings: `refresh.max_calls`, `max_tokens` and `max_seconds`, and what bounds depend on.
        clock: seconds that only rise.

    Raises:
        BadSettings: not even the smallest piece of work fits in it, so no night would come any further.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._limits = settings.refresh
        self._clock = clock
        self._began = clock()
        self._measured: dict[str, Usage] = {}
        self._aside: list[Room] = []
        self._lost = Usage()
        self._turn = asyncio.Lock()
        self._given_back = asyncio.Event()
        for phase in ASKING:
            self._require(phase, 1, f"one row of phase {phase}")

    @property
    def spent(self) -> Usage:
        """What all jobs that have ended came to."""
        return sum(self._measured.values(), self._lost)

    def rows_a_job(self, phase: str) -> int:
        """How many rows a job of that phase should have at most: `run.shard_rows`, or fewer under a small budget."""
        calls = calls_a_row(phase, self._settings)
        limits = [(self._limits.max_calls, calls), (self._limits.max_tokens, calls * self._tokens_a_call(phase))]
        fitting = [int(limit // (SLICES * price)) for limit, price in limits if limit and price]
        return max(1, min([self._settings.run.shard_rows, *fitting]))

    @asynccontextmanager
    async def room_for(self, job: Job) -> AsyncIterator[Room | None]:
        """Room for a job until it has ended; None where there is none and none will be given back.

        Raises:
            BadSettings: the job alone is larger than a whole budget.
        """
        room = await self._set_aside(job)
        try:
            yield room
        finally:
            if room:
                self._settle(room)

    async def _set_aside(self, job: Job) -> Room | None:
        free = Room(job.phase, 0, 0, Usage())
        if not calls_a_row(job.phase, self._settings):
            return free
        async with self._turn:
            if await asyncio.to_thread(_is_done, job):
                return free
            self._require(job.phase, job.rows_in, job.title)
            while self._is_time_left():
                room = self._room(job.phase, job.rows_in)
                if self._fits(room):
                    self._aside.append(room)
                    return room
                if not self._aside:
                    break
                self._given_back.clear()
                await self._given_back.wait()
        return None

    def _settle(self, room: Room) -> None:
        if room in self._aside:
            self._aside.remove(room)
        if room.spent is None:
            self._lost += Usage(room.calls, room.tokens)
        else:
            self._measured[room.phase] = self._measured.get(room.phase, Usage()) + room.spent
        self._given_back.set()

    def _is_time_left(self) -> bool:
        return not self._limits.max_seconds or self._clock() - self._began < self._limits.max_seconds

    def _fits(self, room: Room) -> bool:
        calls = self.spent.calls + sum(other.calls for other in self._aside) + room.calls
        tokens = _tokens(self.spent) + sum(other.tokens for other in self._aside) + room.tokens
        return _within(calls, self._limits.max_calls) and _within(tokens, self._limits.max_tokens)

    def _room(self, phase: str, rows: int) -> Room:
        calls = rows * calls_a_row(phase, self._settings)
        return Room(phase, calls, calls * self._tokens_a_call(phase))

    def _tokens_a_call(self, phase: str) -> int:
        measured = self._measured.get(phase, Usage())
        return math.ceil(_tokens(measured) / measured.calls) if measured.calls else tokens_a_call(phase, self._settings)

    def _require(self, phase: str, rows: int, what: str) -> None:
        """Refuses a budget in which this work has no room on any night, whatever is measured."""
        calls = rows * calls_a_row(phase, self._settings)
        needs = {"max_calls": calls, "max_tokens": calls * tokens_a_call(phase, self._settings)}
        for name, needed in needs.items():
            most = getattr(self._limits, name)
            if not _within(needed, most):
                raise BadSettings(
                    f"refresh.{name}={most}: {what} may need {needed:,}, so no night would do it; set {needed} or more"
                )


def _is_done(job: Job) -> bool:
    return job.store.find(job.phase, job.key) is not None


def _tokens(usage: Usage) -> int:
    return usage.prompt_tokens + usage.completion_tokens


def _within(value: int, most: int) -> bool:
    return not most or value <= most
