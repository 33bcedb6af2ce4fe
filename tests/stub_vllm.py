"""What vLLM's server looks like from outside, without a model: `python -m tests.stub_vllm --model NAME --port N`.

It takes vLLM's command line, of which it reads the names, the address and the context length, and answers `/health`,
`/v1/models` and `/v1/chat/completions`. Like vLLM it starts a second process, the engine: here one that has left the
session and does not listen to SIGTERM. Environment variables make it slow or ill:

* `STUB_DELAY_S`: seconds that an answer takes
* `STUB_NEVER_READY`: `/health` answers 503 for ever
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from typing import Any

ENGINE = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(3600)"


def main() -> None:
    """Serves until it is told to stop."""
    from aiohttp import web

    options = read_options(sys.argv[1:])
    subprocess.Popen([sys.executable, "-c", ENGINE], start_new_session=True)
    app = web.Application()
    app.add_routes(
        [
            web.get("/health", _health),
            web.get("/v1/models", _models(options)),
            web.post("/v1/chat/completions", _complete(options)),
        ]
    )
    web.run_app(app, host=options.host, port=options.port, print=None)


def read_options(words: list[str]) -> argparse.Namespace:
    """What the stub reads of vLLM's command line."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--model", required=True)
    parser.add_argument("--served-model-name")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--max-model-len", type=int, default=4096)
    options, _ = parser.parse_known_args(words)
    options.name = options.served_model_name or options.model
    return options


async def _health(_request: Any) -> Any:
    from aiohttp import web

    return web.Response(status=503 if os.environ.get("STUB_NEVER_READY") else 200)


def _models(options: argparse.Namespace) -> Callable[[Any], Awaitable[Any]]:
    async def models(_request: Any) -> Any:
        from aiohttp import web

        model = {"id": options.name, "object": "model", "max_model_len": options.max_model_len}
        return web.json_response({"object": "list", "data": [model]})

    return models


def _complete(options: argparse.Namespace) -> Callable[[Any], Awaitable[Any]]:
    async def complete(request: Any) -> Any:
        from aiohttp import web

        asked = await request.json()
        if asked["model"] != options.name:
            return web.json_response({"error": {"message": "no such model", "code": 404}}, status=404)
        await asyncio.sleep(float(os.environ.get("STUB_DELAY_S", "0.05")))
        words = asked["messages"][-1]["content"].split()
        answer = {"role": "assistant", "content": " ".join(words[:20])}
        usage = {"prompt_tokens": len(words), "completion_tokens": len(words[:20]), "total_tokens": 0}
        usage["total_tokens"] = usage["prompt_tokens"] + usage["completion_tokens"]
        choice = {"index": 0, "message": answer, "finish_reason": "stop"}
        return web.json_response({"id": "stub", "model": options.name, "choices": [choice], "usage": usage})

    return complete


if __name__ == "__main__":
    main()
