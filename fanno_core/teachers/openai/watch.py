"""What is asked of servers besides answers: whether they are back, and how long vLLM's queue is."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Callable, Coroutine
from typing import Any

import aiohttp

from fanno_core.teachers.openai.endpoints import Endpoint, Endpoints
from fanno_core.teachers.openai.exchange import get
from fanno_core.teachers.openai.faults import Passing
from fanno_core.teachers.openai.limiter import Limiter

EVERY_S = 1.0
TIMEOUT_S = 5.0
FIRST_LOOK_S = 0.1
LONGEST_LOOK_S = 5.0
# A worker restarts its server meanwhile, which loads its model again.
OUTAGE_S = 120.0

_WAITING = re.compile(rb"^vllm:num_requests_waiting(?:\{[^}]*\})? ([0-9.e+]+)", re.MULTILINE)

log = logging.getLogger(__name__)


class Watch:
    """Looks after the servers as long as somebody waits for answers.

    Args:
        endpoints: the servers.
        limiter: is told how many requests wait in vLLM's queues.
        session: of aiohttp.
        revived: called when a server is back.
        gone: called when no server was there for `outage_s`.
        outage_s: seconds.
    """

    def __init__(
        self,
        endpoints: Endpoints,
        limiter: Limiter,
        session: aiohttp.ClientSession,
        revived: Callable[[], None],
        gone: Callable[[], None],
        outage_s: float = OUTAGE_S,
    ) -> None:
        self._endpoints = endpoints
        self._limiter = limiter
        self._session = session
        self._revived = revived
        self._gone = gone
        self._outage_s = outage_s
        self._tasks: set[asyncio.Task[None]] = set()
        self._down_since: float | None = None

    def start(self) -> None:
        """Begins to look."""
        self._down_since = None
        self._spawn(self._look())
        for member in self._endpoints.members:
            if member.is_down:
                self.await_return(member)

    def stop(self) -> None:
        """Looks no more."""
        for task in self._tasks:
            task.cancel()

    def await_return(self, endpoint: Endpoint) -> None:
        """Asks a server that is down whether it is back, until it is; each relapse doubles the time before that."""
        if endpoint.relapses <= 1:
            log.warning("teacher endpoint %s does not answer", endpoint.shown)
        self._spawn(self._await_return(endpoint))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _await_return(self, endpoint: Endpoint) -> None:
        await asyncio.sleep(min(LONGEST_LOOK_S, FIRST_LOOK_S * 2.0 ** (endpoint.relapses - 1)))
        while endpoint.is_down and not await _is_up(self._session, endpoint):
            await asyncio.sleep(EVERY_S)
        endpoint.is_down = False
        self._revived()

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(min(EVERY_S, self._outage_s))
            if not self._endpoints.all_down:
                self._down_since = None
                await self._measure_queues()
            elif self._down_since is None:
                self._down_since = time.monotonic()
            elif time.monotonic() - self._down_since >= self._outage_s:
                self._gone()

    async def _measure_queues(self) -> None:
        asked = [member for member in self._endpoints.members if member.is_vllm and not member.is_down]
        lengths = await asyncio.gather(*(_queue_length(self._session, member) for member in asked))
        if known := [length for length in lengths if length is not None]:
            self._limiter.queued(sum(known))


async def _is_up(session: aiohttp.ClientSession, endpoint: Endpoint) -> bool:
    try:
        status, _ = await get(session, endpoint.url / "models", TIMEOUT_S)
    except Passing:
        return False
    return status < 500


async def _queue_length(session: aiohttp.ClientSession, endpoint: Endpoint) -> int | None:
    """Requests that wait in vLLM's queue; None where it does not tell."""
    try:
        _, text = await get(session, endpoint.url.parent / "metrics", TIMEOUT_S)
    except Passing:
        return None
    counts = _WAITING.findall(text)
    return int(sum(map(float, counts))) if counts else None
