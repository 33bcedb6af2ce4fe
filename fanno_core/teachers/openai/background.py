"""An event loop in a thread of its own, and answers on their way from there to the loop that waits for them.

Prefect runs each task in an event loop of its own, while connections belong to the loop that opened them; so all of
a process' requests are made in one loop that outlives the tasks.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from functools import cache
from typing import Generic, TypeVar

THREAD = "fanno-openai"

Item = TypeVar("Item")


@cache
def background_loop() -> asyncio.AbstractEventLoop:
    """The loop, which runs until the process ends; started when first asked for."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name=THREAD, daemon=True).start()
    return loop


class Outbox(Generic[Item]):
    """A queue from the background loop to the loop that made it. One wake-up brings all that waits."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._items: deque[Item] = deque()
        self._filled = asyncio.Event()
        self._told = False

    def put(self, item: Item) -> None:
        """To be called from the background loop; says nothing where the waiting loop is gone."""
        self._items.append(item)
        if not self._told:
            self._told = True
            try:
                self._loop.call_soon_threadsafe(self._filled.set)
            except RuntimeError:  # closed: its task was killed, and nobody waits any more
                self._items.clear()

    async def group(self) -> list[Item]:
        """What came since the last call, in order; now and then nothing. To be called from the loop that made it."""
        await self._filled.wait()
        self._filled.clear()
        self._told = False  # before looking: what is put from here on rings again
        group = []
        while self._items:
            group.append(self._items.popleft())
        return group
