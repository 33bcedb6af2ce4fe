"""One digest, however many questions are under way, and in whatever order answers come."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.conftest import run_here
from tests.crash.conftest import Reference
from tests.crash.scripted import number_of, numbers, scripted, told
from tests.stub_openai import Fault, StubOpenAI, reply_to

pytestmark = pytest.mark.crash


@pytest.mark.parametrize("concurrency", [1, 4, 16])
def test_concurrency_changes_no_byte(documents: Path, reference: Reference, tmp_path: Path, concurrency: int) -> None:
    with scripted() as server:
        here = told(server, f"run.concurrency={concurrency}", f"teacher.in_flight={concurrency}")
        record = run_here([documents], tmp_path / "out", *here)
        assert server.most_in_flight <= concurrency
        assert numbers(server.seen) == reference.asked
    assert record["dataset"] == reference.dataset


class Reordered:
    """A script that lets each request wait: the later it comes the shorter, or as its number says."""

    def __init__(self, server: StubOpenAI, order: str) -> None:
        self._server, self._order, self._come = server, order, 0

    def popleft(self) -> Fault:
        self._come += 1
        come = self._come

        async def wait(request: web.Request) -> web.StreamResponse:
            body: dict[str, Any] = await request.json()
            ranks = {"reversed": -come % 16, "random": number_of(body) % 16}
            await asyncio.sleep(0.004 * ranks[self._order])
            return web.json_response(self._server.respond(body, reply_to(body)))

        return wait


@pytest.mark.parametrize("order", ["reversed", "random"])
def test_the_order_of_answers_changes_no_byte(
    documents: Path, reference: Reference, tmp_path: Path, order: str
) -> None:
    with scripted() as server:
        server.script = Reordered(server, order)  # type: ignore[assignment]
        record = run_here([documents], tmp_path / "out", *told(server, "teacher.in_flight=16", "run.concurrency=4"))
        assert numbers(server.seen) == reference.asked
    assert record["dataset"] == reference.dataset
