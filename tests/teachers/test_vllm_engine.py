"""The thread that owns vLLM's engine, with an engine that the test scripts: real ones are in `tests/vllm`."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any

import pytest

from fanno_core.errors import RunStops
from fanno_core.teachers.vllm.engine import Call, Engine, Job


@dataclass
class Output:
    request_id: str
    finished: bool = True


class Scripted:
    """As much of `LLMEngine` as is used: each step finishes one request. Ids [0] are refused, [13] break it."""

    def __init__(self, step_s: float = 0.0) -> None:
        self.waiting: list[str] = []
        self.aborted: list[str] = []
        self.step_s = step_s
        self.engine_core = self

    def shutdown(self) -> None:
        self.waiting.clear()

    def has_unfinished_requests(self) -> bool:
        return bool(self.waiting)

    def add_request(self, name: str, prompt: dict[str, list[int]], _params: Any) -> None:
        if prompt["prompt_token_ids"] == [0]:
            raise ValueError("The decoder prompt cannot be empty")
        if prompt["prompt_token_ids"] == [13]:
            raise OSError("gone")
        self.waiting.append(name)

    def step(self) -> list[Output]:
        time.sleep(self.step_s)
        return [Output(self.waiting.pop(0))] if self.waiting else []

    def abort_request(self, names: list[str]) -> None:
        self.aborted += names
        self.waiting = [name for name in self.waiting if name not in names]


async def places(engine: Engine, *ids: int) -> list[int]:
    with engine.call() as call:
        engine.ask(call, [Job(place, [id_], None) for place, id_ in enumerate(ids)])
        async with asyncio.timeout(5):
            return sorted([place async for place, _ in engine.answers(call)])


async def test_every_job_is_answered() -> None:
    engine = Engine(Scripted, "tiny")
    assert await places(engine, 1, 2, 3) == [0, 1, 2]
    engine.close()


async def test_a_request_that_vllm_refuses_ends_its_call_and_no_other() -> None:
    engine = Engine(Scripted, "tiny")
    with pytest.raises(RunStops, match="does not take a request"):
        await places(engine, 1, 0, 2)
    assert await places(engine, 1, 2) == [0, 1]
    engine.close()


async def test_an_engine_that_breaks_tells_all_who_ask() -> None:
    engine = Engine(Scripted, "tiny")
    for ids in ((13,), (1,)):
        with pytest.raises(RunStops, match="tiny"):
            await places(engine, *ids)
    engine.close()


def test_a_caller_whose_loop_is_gone_harms_no_other() -> None:
    engine = Engine(lambda: Scripted(step_s=0.1), "tiny")
    left: list[Any] = []

    async def leave_without_a_word() -> None:
        call: Call = (opened := engine.call()).__enter__()
        left.append(opened)
        engine.ask(call, [Job(place, [1], None) for place in range(3)])

    asyncio.run(leave_without_a_word())
    time.sleep(0.5)
    assert asyncio.run(places(engine, 1, 2)) == [0, 1]
    engine.close()
