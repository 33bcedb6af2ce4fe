"""vLLM's engine, which only one thread may touch: requests come to that thread from anywhere, and answers go back.

vLLM's own `LLM.generate` answers one caller at a time and shows nothing until all is done. Here tasks share the engine,
so that the requests of one fill the gaps of another, and each answer is there as soon as the engine has it.
"""

from __future__ import annotations

import asyncio
import atexit
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any

from fanno_core.errors import RunStops


@dataclass(frozen=True, slots=True)
class Job:
    """A prompt's token ids and vLLM's `SamplingParams`, under the caller's own number for it."""

    place: int
    ids: list[int]
    params: Any


@dataclass(eq=False, slots=True)
class Call:
    """One caller: what it still waits for, and where its answers arrive.

    Attributes:
        arrived: groups of `(place, RequestOutput)`, or the error that ended the engine.
        waiting: places by the engine's name of the request; only the engine's thread touches it.
    """

    loop: asyncio.AbstractEventLoop
    arrived: asyncio.Queue[list[tuple[int, Any]] | RunStops]
    asked: int = 0
    waiting: dict[str, int] = field(default_factory=dict)

    def tell(self, news: list[tuple[int, Any]] | RunStops) -> None:
        """Wakes the caller; says nothing where its loop is gone."""
        with suppress(RuntimeError):
            self.loop.call_soon_threadsafe(self.arrived.put_nowait, news)


@dataclass(frozen=True, slots=True)
class _Ask:
    call: Call
    jobs: Sequence[Job]


@dataclass(frozen=True, slots=True)
class _Leave:
    call: Call


class _Close:
    """No more requests will come."""


class Engine:
    """A thread that loads the engine when it is first asked, and steps it while anybody waits.

    Args:
        load: makes vLLM's `LLMEngine`.
        name: how messages name the model.
    """

    def __init__(self, load: Callable[[], Any], name: str) -> None:
        self._load = load
        self._name = name
        self._inbox: SimpleQueue[_Ask | _Leave | _Close] = SimpleQueue()
        self._starting = Lock()
        self._thread: Thread | None = None
        self._calls: dict[str, Call] = {}
        self._closed = False

    @contextmanager
    def call(self) -> Iterator[Call]:
        """A new caller in the running event loop; what it still waits for when it leaves is not worked on any more."""
        call = Call(asyncio.get_running_loop(), asyncio.Queue())
        try:
            yield call
        finally:
            if call.asked:
                self._inbox.put(_Leave(call))

    def ask(self, call: Call, jobs: Sequence[Job]) -> None:
        """Hands jobs over, in the order in which the engine is to take them.

        Raises:
            RunStops: the engine was closed.
        """
        with self._starting:
            if self._closed:
                raise RunStops(f"teacher.model {self._name}: vLLM's engine was closed in this process")
            if self._thread is None:
                self._thread = Thread(target=self._run, name="fanno-vllm", daemon=True)
                self._thread.start()
                # A daemon thread that is cut off inside vLLM takes the interpreter's exit code with it.
                atexit.register(self.close)
        call.asked += len(jobs)
        self._inbox.put(_Ask(call, jobs))

    async def answers(self, call: Call) -> AsyncIterator[tuple[int, Any]]:
        """Place and vLLM's `RequestOutput` of each job of the call, as they are done.

        Raises:
            RunStops: the model cannot be loaded, or the engine broke.
        """
        while call.asked:
            news = await call.arrived.get()
            if isinstance(news, RunStops):
                raise news
            call.asked -= len(news)
            for place, output in news:
                yield place, output

    def close(self) -> None:
        """Ends the engine and its processes; what is under way is not answered."""
        with self._starting:
            self._closed = True
            if self._thread is not None:
                self._inbox.put(_Close())
                self._thread.join()
                self._thread = None
                atexit.unregister(self.close)

    def _run(self) -> None:
        try:
            engine = self._load()
            try:
                while self._take(engine):
                    self._step(engine)
            finally:
                engine.engine_core.shutdown()
        except RunStops as error:
            self._refuse(error)
        except Exception as error:  # whatever vLLM raises, those who wait have to hear of it
            self._refuse(RunStops(f"teacher.model {self._name}: vLLM's engine stopped ({type(error).__name__})"))

    def _take(self, engine: Any) -> bool:
        """Takes what is in the inbox, and waits for it where there is nothing else to do; False: close."""
        while True:
            try:
                item = self._inbox.get(block=not engine.has_unfinished_requests())
            except Empty:
                return True
            if isinstance(item, _Close):
                return False
            if isinstance(item, _Leave):
                self._abort(engine, item.call)
            else:
                self._add(engine, item)

    def _add(self, engine: Any, asked: _Ask) -> None:
        for job in asked.jobs:
            name = f"{id(asked.call)}-{job.place}"
            try:
                engine.add_request(name, {"prompt_token_ids": job.ids}, job.params)
            except Exception as error:
                problem = f"teacher.model {self._name}: vLLM does not take a request ({type(error).__name__})"
                asked.call.tell(RunStops(problem))
                if not isinstance(error, ValueError):  # which is about this request; others are about the engine
                    raise
                self._abort(engine, asked.call)
                return
            asked.call.waiting[name] = job.place
            self._calls[name] = asked.call

    def _abort(self, engine: Any, call: Call) -> None:
        engine.abort_request(list(call.waiting))
        for name in call.waiting:
            del self._calls[name]
        call.waiting.clear()

    def _step(self, engine: Any) -> None:
        done: dict[Call, list[tuple[int, Any]]] = {}
        for output in engine.step():
            if output.finished and (call := self._calls.pop(output.request_id, None)):
                done.setdefault(call, []).append((call.waiting.pop(output.request_id), output))
        for call, outputs in done.items():
            call.tell(outputs)

    def _refuse(self, error: RunStops) -> None:
        """Tells all who wait, and all who still come, until the engine is closed."""
        for call in dict.fromkeys(self._calls.values()):
            call.tell(error)
        self._calls.clear()
        while True:
            item = self._inbox.get()
            if isinstance(item, _Close):
                return
            if isinstance(item, _Ask):
                item.call.tell(error)
