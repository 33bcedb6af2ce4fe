"""A place to the vLLM server that runs there: its command, its environment, and whether it answers."""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any

from deployments.pool.services import Service
from deployments.pool.serving import HOST, Place, Serving

PROBE_LIMIT_S = 2.0
# Prefix blocks on the CPU must be a multiple of 32 tokens; vLLM's default there, 128, shares much less.
CPU_BLOCK_TOKENS = 32


def service(serving: Serving, place: Place, revision: str, logs: Path) -> Service:
    """The server of one place.

    Args:
        serving: what is served.
        place: where.
        revision: commit to serve of a hub model; empty for a folder.
        logs: folder for its log.
    """
    return Service(
        name=str(place),
        command=command(serving, place, revision),
        environment=environment(serving, place, os.environ),
        folder=logs,
        log=logs / f"vllm-{place.port}.log",
        answers=lambda: context_of(place.endpoint, serving.served_name or serving.name) is not None,
        start_limit_s=serving.start_limit_s,
    )


def command(serving: Serving, place: Place, revision: str) -> tuple[str, ...]:
    """The command line of a server."""
    words = [serving.interpreter, "-m", "vllm.entrypoints.openai.api_server", "--model", serving.source]
    words += ["--served-model-name", serving.served_name or serving.name, "--host", HOST, "--port", str(place.port)]
    if revision and not serving.is_folder:
        words += ["--revision", revision, "--tokenizer-revision", revision]
    if serving.context_tokens:
        words += ["--max-model-len", str(serving.context_tokens)]
    words.append("--enable-prefix-caching" if serving.prefix_cache else "--no-enable-prefix-caching")
    # Answers depend on what is asked alone, not on sampling defaults that some models bring along.
    words += ["--generation-config", "vllm", "--enable-prompt-tokens-details", "--disable-uvicorn-access-log"]
    if place.gpus:
        words += ["--dtype", serving.dtype, "--gpu-memory-utilization", str(serving.memory_share)]
        return (*words, "--tensor-parallel-size", str(serving.tensor_parallel))
    dtype = "bfloat16" if serving.dtype == "auto" else serving.dtype
    return (*words, "--dtype", dtype, "--enforce-eager", "--block-size", str(CPU_BLOCK_TOKENS))


def environment(serving: Serving, place: Place, base: Mapping[str, str]) -> dict[str, str]:
    """The environment of a server: no telemetry, no hub for a folder, and only its own devices."""
    # Servers listen on loopback alone; a key would only have to be told to everyone.
    variables = {name: value for name, value in base.items() if name != "VLLM_API_KEY"}
    variables |= {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}
    if serving.is_folder:
        variables["HF_HUB_OFFLINE"] = "1"
    if place.gpus:
        return variables | {"CUDA_VISIBLE_DEVICES": ",".join(place.gpus)}
    variables["VLLM_CPU_KVCACHE_SPACE"] = str(serving.cpu_cache_gib)
    if serving.servers > 1:
        # vLLM would bind every server to the same processors, where they wait for each other.
        variables["VLLM_CPU_OMP_THREADS_BIND"] = ",".join(map(str, place.processors))
    return variables


def context_of(endpoint: str, served_name: str) -> int | None:
    """Longest context of the model in tokens, where the server is healthy and serves it by that name; else None."""
    if _get(endpoint.removesuffix("/v1") + "/health") is None:
        return None
    try:
        models = json.loads(_get(f"{endpoint}/models") or "{}")
        return next((int(model["max_model_len"]) for model in models["data"] if model["id"] == served_name), None)
    except (ValueError, KeyError, TypeError):
        return None


def _get(address: str) -> bytes | None:
    # No proxy: it is this machine that is asked.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(address, timeout=PROBE_LIMIT_S) as response:
            body: Any = response.read()
            return bytes(body)
    except (OSError, HTTPException):
        return None
