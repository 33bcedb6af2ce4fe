"""vLLM behind our teachers against vLLM itself, in turn on the prompts of one seed phase.

`python -m bench.vllm MODEL_DIR`: the in-process teacher against `LLM.generate` on the same engine.
`python -m bench.vllm MODEL_DIR --server`: the `openai` teacher against a bare aiohttp client on the same server.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import aiohttp

from bench.machine import machine
from fanno_core import settings
from fanno_core.documents.ingest import ingest
from fanno_core.documents.sources import find_sources
from fanno_core.instructions.tags import tag_pool
from fanno_core.teachers.protocol import Request, Sampling, Teacher, ask
from fanno_core.teachers.rendered import rendered_request
from fanno_core.teachers.table import open_teacher

DOCUMENTS = 40
ROUNDS = 5
SAMPLING = Sampling(max_tokens=64)
IN_FLIGHT = 256

Measured = tuple[int, float]
"""Tokens of prompts and answers, and seconds."""
Side = Callable[[Sequence[Request]], Measured]


def seed_phases(documents: int) -> list[list[Request]]:
    """The prompts of a seed phase for each round, over segments of the installed packages' documentation.

    Each round has documents of its own, or it would find the prompts of the last in the prefix cache.
    """
    kept = ingest(find_sources(["installed-docs"]), settings.Ingest(segment_chars=800)).kept
    texts = [document.text for document in sorted(kept, key=lambda document: document.id)]
    return [
        [
            rendered_request("", "seed_instruction", {"document": text, **tags.values()}, SAMPLING, f"d{place}")
            for place, text in enumerate(texts[start : start + documents])
            for tags in tag_pool()
        ]
        for start in range(0, documents * (ROUNDS + 1), documents)
    ]


def through(teacher: Teacher, requests: Sequence[Request]) -> Measured:
    """What our teacher takes."""
    started = time.perf_counter()
    answers = asyncio.run(ask(teacher, requests))
    return sum(a.prompt_tokens + a.completion_tokens for a in answers), time.perf_counter() - started


def compared(name: str, phases: Sequence[list[Request]], ours: Side, bare: Side) -> None:
    """Rounds in turn, the first of which only warms up, and one line of JSON."""
    rounds = []
    for number, requests in enumerate(phases):
        # Who goes first changes, since the machine's other work does too.
        order = (ours, bare) if number % 2 else (bare, ours)
        took = {side: side(requests) for side in order}
        mine, theirs = (tokens / seconds for tokens, seconds in (took[ours], took[bare]))
        if number:
            rounds.append((mine, theirs))
            print(f"ours {mine:8.0f} tokens/s   bare {theirs:8.0f} tokens/s   ratio {mine / theirs:.2f}", flush=True)
    figures = {
        "bench": name,
        "machine": machine(),
        "requests": len(phases[0]),
        "ours_tokens_per_s": round(statistics.median(mine for mine, _ in rounds)),
        "bare_tokens_per_s": round(statistics.median(theirs for _, theirs in rounds)),
        "ratio": round(statistics.median(mine / theirs for mine, theirs in rounds), 3),
    }
    print(json.dumps(figures))


def in_process(model: str, phases: Sequence[list[Request]]) -> None:
    """The in-process teacher against `LLM.generate`, each with an engine of its own that is set up alike."""
    teacher = open_teacher(settings.Teacher(name="vllm", model=model))
    through(teacher, phases[0][:8])
    from vllm import LLM, SamplingParams

    llm = LLM(model, block_size=32, enforce_eager=True, enable_prefix_caching=True)
    message = [{"role": "user", "content": "$"}]
    before, _, after = str(
        llm.get_tokenizer().apply_chat_template(message, tokenize=False, add_generation_prompt=True)
    ).partition("$")
    params = SamplingParams(temperature=0, max_tokens=SAMPLING.max_tokens)

    def bare(requests: Sequence[Request]) -> Measured:
        texts = [{"prompt": f"{before}{request.text}{after}"} for request in requests]
        started = time.perf_counter()
        outputs = llm.generate(texts, params, use_tqdm=False)
        seconds = time.perf_counter() - started
        return sum(len(o.prompt_token_ids or []) + len(o.outputs[0].token_ids) for o in outputs), seconds

    compared("vllm in process", phases, lambda requests: through(teacher, requests), bare)


@contextmanager
def server(model: str) -> Iterator[str]:
    """The address of a vLLM server of this model, which is stopped in the end."""
    port = 8731
    command = [
        *(sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", model, "--served-model-name", "tiny"),
        *("--host", "127.0.0.1", "--port", str(port), "--enforce-eager", "--block-size", "32"),
        "--disable-uvicorn-access-log",
    ]
    environment = os.environ | {"VLLM_SERVER_DEV_MODE": "1"}  # only then may a client empty the prefix cache
    with tempfile.TemporaryFile() as log, subprocess.Popen(command, env=environment, stdout=log, stderr=log) as process:  # noqa: S603
        try:
            asyncio.run(_healthy(f"http://127.0.0.1:{port}/health", process))
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()


async def _healthy(url: str, process: subprocess.Popen[bytes]) -> None:
    async with aiohttp.ClientSession() as session:
        while process.poll() is None:
            try:
                async with session.get(url) as response:
                    if response.status == 200:
                        return
            except aiohttp.ClientError:
                await asyncio.sleep(0.5)
    raise SystemExit(f"the vLLM server ended with code {process.returncode}")


def over_http(model: str, phases: Sequence[list[Request]]) -> None:
    """The `openai` teacher against a bare client, on one server that forgets its prefix cache before each."""
    with server(model) as address:
        teacher = open_teacher(
            settings.Teacher(name="openai", model="tiny", endpoints=(address,), api_key="", in_flight=IN_FLIGHT)
        )

        def fresh(side: Side) -> Side:
            def measured(requests: Sequence[Request]) -> Measured:
                asyncio.run(_forget(address.removesuffix("/v1")))
                return side(requests)

            return measured

        ours = fresh(lambda requests: through(teacher, requests))
        compared("vllm server", phases, ours, fresh(lambda requests: asyncio.run(_bare_client(address, requests))))


async def _forget(server: str) -> None:
    async with aiohttp.ClientSession() as session, session.post(f"{server}/reset_prefix_cache") as response:
        response.raise_for_status()


async def _bare_client(address: str, requests: Sequence[Request]) -> Measured:
    """So many requests in flight, each a single message for the server's chat template."""
    gate = asyncio.Semaphore(IN_FLIGHT)
    asked = {"temperature": 0, "max_tokens": SAMPLING.max_tokens}
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(600)) as session:

        async def one(text: str) -> int:
            body = {"model": "tiny", "messages": [{"role": "user", "content": text}], **asked}
            async with gate, session.post(f"{address}/chat/completions", json=body) as reply:
                return int((await reply.json())["usage"]["total_tokens"])

        started = time.perf_counter()
        tokens = sum(await asyncio.gather(*(one(request.text) for request in requests)))
        return tokens, time.perf_counter() - started


def main() -> None:
    """Reads the command line and measures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="folder of a model, such as `python -m tests.vllm.tiny_mistral` makes")
    parser.add_argument("--server", action="store_true", help="the openai teacher against a bare client")
    parser.add_argument("--documents", type=int, default=DOCUMENTS, help="documents, each asked 96 times")
    chosen = parser.parse_args()
    os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "1")
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")
    measure = over_http if chosen.server else in_process
    measure(chosen.model, seed_phases(chosen.documents))


if __name__ == "__main__":
    main()
