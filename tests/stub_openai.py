"""A server with OpenAI's API over real HTTP. It answers from the request alone, or does what a test's script says."""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web

Fault = Callable[[web.Request], Awaitable[web.StreamResponse]]
SECRET = "sk-canary-7d1f"  # noqa: S105 - made up
CANARY = "the whale keeps a secret sentence"


@dataclass(frozen=True)
class Seen:
    """One request for a completion, as it arrived."""

    body: dict[str, Any]
    headers: Mapping[str, str]
    at: float

    @property
    def text(self) -> str:
        """The prompt, where it was sent as a message."""
        return str(self.body["messages"][0]["content"])


@dataclass
class StubOpenAI:
    """The server, in a thread of its own; used as a context manager.

    Attributes:
        vllm: whether it says that it is vLLM.
        context: tokens of the context, checked by a quarter of the prompt's characters; 0: not told, not checked.
        latency_s: how long an answer takes.
        script: what befalls the next requests, one each; None lets one through.
        respond: changes a reply before it is sent.
        waiting: what `/metrics` reports.
    """

    vllm: bool = False
    models: tuple[str, ...] = ("stub",)
    context: int = 0
    latency_s: float = 0.0
    port: int = 0
    script: deque[Fault | None] = field(default_factory=deque)
    respond: Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]] = lambda _body, reply: reply
    waiting: int = 0
    seen: list[Seen] = field(default_factory=list)
    in_flight: int = 0
    most_in_flight: int = 0
    cancelled: int = 0

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)

    @property
    def url(self) -> str:
        """Where its API begins."""
        return f"http://127.0.0.1:{self.port}/v1"

    def then(self, *faults: Fault | None) -> None:
        """Scripts the next requests."""
        self.script.extend(faults)

    async def _start(self) -> None:
        app = web.Application(client_max_size=2**26)
        app.add_routes(
            [
                web.post("/v1/chat/completions", self._complete),
                web.post("/v1/completions", self._complete),
                web.get("/v1/models", self._models),
                web.get("/metrics", self._metrics),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True).start()
        self.port = self._runner.addresses[0][1]

    async def _models(self, _request: web.Request) -> web.Response:
        told = {"owned_by": "vllm", "max_model_len": self.context} if self.vllm else {"owned_by": "stub"}
        return web.json_response({"data": [{"id": name, **told} for name in self.models]})

    async def _metrics(self, _request: web.Request) -> web.Response:
        return web.Response(text=f'vllm:num_requests_waiting{{engine="0"}} {float(self.waiting)}\n')

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.seen.append(Seen(body, dict(request.headers), self._loop.time()))
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            fault = self.script.popleft() if self.script else None
            if fault:
                return await fault(request)
            await asyncio.sleep(self.latency_s)
            tokens = prompt_tokens(body)
            if self.context and tokens + body["max_tokens"] > self.context:
                return too_long(self.context, tokens)
            return web.json_response(self.respond(body, reply_to(body)))
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.in_flight -= 1


def prompt_tokens(body: dict[str, Any]) -> int:
    """A token is four characters."""
    prompt = body["prompt"] if "prompt" in body else body["messages"][0]["content"]
    return len(prompt) if isinstance(prompt, list) else -(-len(prompt) // 4)


def too_long(context: int, tokens: int) -> web.Response:
    message = f"This model's maximum context length is {context} tokens. However, your prompt contains {tokens} input"
    return web.json_response({"error": {"message": f"{message} tokens. {CANARY}", "code": 400}}, status=400)


def reply_to(body: dict[str, Any]) -> dict[str, Any]:
    """What the stub answers: a function of the prompt, of `max_tokens` and, where it draws, of the seed."""
    prompt = body["prompt"] if "prompt" in body else body["messages"][0]["content"]
    seed = body.get("seed") if body["temperature"] else None
    digest = hashlib.sha256(json.dumps([prompt, seed]).encode()).hexdigest()
    usage = {"prompt_tokens": prompt_tokens(body), "prompt_tokens_details": {"cached_tokens": 2}}
    if "allowed_token_ids" in body or ("messages" in body and body["max_tokens"] == 1):
        return _verdict(body, int(digest[:8], 16) / 2**32, usage)
    words = [digest[n : n + 4] for n in range(0, 40, 4)]
    kept = words[: body["max_tokens"]]
    choice = {"index": 0, "finish_reason": "stop" if kept == words else "length"}
    text = " ".join(kept)
    choice |= {"text": text} if "prompt" in body else {"message": {"role": "assistant", "content": text}}
    return {"choices": [choice], "usage": {**usage, "completion_tokens": len(kept)}}


def _verdict(body: dict[str, Any], share: float, usage: dict[str, Any]) -> dict[str, Any]:
    tops = {"1": share * 0.5, " 1": share * 0.3, "0": (1 - share) * 0.8, "maybe": 0.2}
    choice: dict[str, Any] = {"index": 0, "finish_reason": "length"}
    if "prompt" in body:
        ids = body["allowed_token_ids"]
        choice["text"] = "1"
        choice["logprobs"] = {"top_logprobs": [{f"token_id:{id_}": math.log(0.4 / len(ids)) for id_ in ids}]}
    else:
        named = [{"token": token, "logprob": math.log(max(mass, 1e-9))} for token, mass in tops.items()]
        best = max(named, key=lambda token: token["logprob"])
        choice["message"] = {"role": "assistant", "content": best["token"]}
        if body.get("logprobs"):
            choice["logprobs"] = {"content": [{**best, "top_logprobs": named}]}
    return {"choices": [choice], "usage": {**usage, "completion_tokens": 1}}


def status(code: int, message: str = CANARY, **headers: str) -> Fault:
    """That HTTP status, with a body that no message may show."""

    async def fault(_request: web.Request) -> web.StreamResponse:
        shown = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.json_response({"error": {"message": message}}, status=code, headers=shown)

    return fault


def body(content: bytes, content_type: str = "application/json") -> Fault:
    """Status 200 with this body."""

    async def fault(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=content, content_type=content_type)

    return fault


def reply(*choices: dict[str, Any]) -> Fault:
    """Status 200 with these choices."""
    return body(json.dumps({"choices": list(choices), "usage": {"prompt_tokens": 3}}).encode())


async def reset(request: web.Request) -> web.StreamResponse:
    """The connection is gone before anything is answered."""
    assert request.transport
    request.transport.abort()
    return web.Response()


async def cut_short(request: web.Request) -> web.StreamResponse:
    """The connection is gone in the middle of the body."""
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"choices": [')
    assert request.transport
    request.transport.abort()
    return response


async def hang(_request: web.Request) -> web.StreamResponse:
    """Nothing comes."""
    await asyncio.sleep(60)
    return web.Response()


async def drip(request: web.Request) -> web.StreamResponse:
    """A byte now and then, for ever."""
    return await _endless(request, b" ", 0.02)


async def flood(request: web.Request) -> web.StreamResponse:
    """As many bytes as are taken, for ever."""
    return await _endless(request, b" " * 2**20, 0)


async def _endless(request: web.Request, part: bytes, pause_s: float) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    while True:
        await response.write(part)
        await asyncio.sleep(pause_s)


def several(fault: Fault | None, times: int) -> Iterable[Fault | None]:
    """The same, so many times."""
    return [fault] * times
