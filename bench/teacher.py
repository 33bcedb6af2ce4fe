"""The request path: 2,000 prompts through the `openai` teacher, answers journalled, beside a bare aiohttp client."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

import aiohttp
from aiohttp import web

from bench.machine import machine
from fanno_core.teachers.journal import Journal
from fanno_core.teachers.journalled import Journalled
from fanno_core.teachers.openai import OpenAITeacher
from fanno_core.teachers.protocol import Request, Sampling, ask

PROMPTS = 2_000
DOCUMENTS = 40
IN_FLIGHT = 256
LATENCY_S = 0.05
ROUNDS = 3
DOCUMENT = " ".join(f"word{n}" for n in range(300))


def main() -> None:
    """Prints wall seconds and this process' CPU milliseconds a request of both, and their medians as JSON."""
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,), daemon=True)
    server.start()
    url = f"http://127.0.0.1:{ours.recv()}/v1"
    teacher = OpenAITeacher([url], in_flight=IN_FLIGHT)
    figures: dict[str, list[tuple[float, float]]] = {"openai": [], "bare": []}
    for number in range(ROUNDS):
        requests = [prompt(number, n) for n in range(PROMPTS)]
        figures["bare"].append(timed(partial(bare_client, url, requests)))
        figures["openai"].append(timed(partial(journalled, teacher, requests)))
    server.terminate()
    medians = {}
    for name, rounds in figures.items():
        wall, cpu = (statistics.median(values) for values in zip(*rounds, strict=True))
        print(f"{name:>7}: {wall:5.2f} s, {cpu:5.2f} ms CPU a request; rounds {rounds}")
        medians[name] = {"wall_s": wall, "cpu_ms": cpu}
    print(json.dumps({"bench": "teacher", "machine": machine(), "prompts": PROMPTS, **medians}))


def prompt(number: int, n: int) -> Request:
    """A request that no round has asked before; several share a document."""
    document = n * DOCUMENTS // PROMPTS
    text = f"Round {number}, document {document}: {DOCUMENT} Question {n}?"
    return Request(f"r{n}", "bench@0", text, Sampling(64), document_id=f"d{document}")


def timed(work: Callable[[], Awaitable[None]]) -> tuple[float, float]:
    """Wall seconds, and CPU milliseconds a request of all threads of this process."""

    async def run() -> tuple[float, float]:
        wall, cpu = time.perf_counter(), time.process_time()
        await work()
        return time.perf_counter() - wall, time.process_time() - cpu

    wall, cpu = asyncio.run(run())
    return round(wall, 3), round(1000 * cpu / PROMPTS, 3)


async def journalled(teacher: OpenAITeacher, requests: list[Request]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal(Path(folder) / "answers.sqlite")
        answers = await ask(Journalled(teacher, journal), requests)
        journal.close()
    assert all(answer.text == "a" for answer in answers)


async def bare_client(url: str, requests: list[Request]) -> None:
    room = asyncio.Semaphore(IN_FLIGHT)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def answer(request: Request) -> str:
            body = {"model": "m", "messages": [{"role": "user", "content": request.text}], "max_tokens": 64}
            async with room, session.post(f"{url}/chat/completions", json=body) as response:
                text: str = (await response.json())["choices"][0]["message"]["content"]
                return text

        assert set(await asyncio.gather(*map(answer, requests))) == {"a"}


def serve(parent: Connection) -> None:
    """A server that answers every prompt after `LATENCY_S`; tells its port."""
    reply = {
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "a"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 400, "completion_tokens": 1},
    }
    body = json.dumps(reply).encode()

    async def completions(request: web.Request) -> web.Response:
        await request.read()
        await asyncio.sleep(LATENCY_S)
        return web.Response(body=body, content_type="application/json")

    async def models(_request: web.Request) -> web.Response:
        return web.json_response({"data": [{"id": "m", "owned_by": "bench"}]})

    async def run() -> None:
        app = web.Application()
        app.add_routes([web.post("/v1/chat/completions", completions), web.get("/v1/models", models)])
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
        parent.send(runner.addresses[0][1])
        await asyncio.Event().wait()

    asyncio.run(run())


if __name__ == "__main__":
    main()
