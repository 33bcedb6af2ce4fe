"""What servers say of themselves before they are asked anything: their model, its context, whether they are vLLM."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

import aiohttp
import orjson
from yarl import URL

from fanno_core.errors import BadSettings, RunStops, TryAgain
from fanno_core.teachers.openai.endpoints import Endpoint
from fanno_core.teachers.openai.exchange import get
from fanno_core.teachers.openai.faults import Passing, Unfit, fault
from fanno_core.teachers.openai.watch import OUTAGE_S

TIMEOUT_S = 10.0
# As long as a run waits for its servers once it is under way.
PATIENCE_S = OUTAGE_S
LOOK_AGAIN_S = 5.0
NO_LIST = {404, 405, 501}
KEYS_GO = "a key goes where teacher.api_key says"
MODELS_SHOWN = 3

log = logging.getLogger("fanno.teacher")


@dataclass(frozen=True)
class Served:
    """What a server offers.

    Attributes:
        models: their names; none where the server does not list them.
        is_vllm: whether it is vLLM.
        context: tokens of the context by model, where it tells.
    """

    models: tuple[str, ...] = ()
    is_vllm: bool = False
    context: tuple[int, ...] = ()


@dataclass(frozen=True)
class Offer:
    """What all servers that answer have in common.

    Attributes:
        model: its name on the servers.
        is_vllm: whether every one is vLLM.
        context: tokens that prompt and answer may have together; 0: not known.
    """

    model: str
    is_vllm: bool
    context: int


def read_addresses(addresses: Sequence[str]) -> list[Endpoint]:
    """The servers of the setting `teacher.endpoints`.

    Raises:
        BadSettings: there is none, or one is no address of the web.
    """
    if not addresses:
        raise BadSettings(
            "teacher.endpoints is empty, but teacher.name=openai needs a server: set it, such as "
            """--set 'teacher.endpoints=["http://127.0.0.1:8000/v1"]', or run in a pool of `fanno worker`"""
        )
    endpoints = []
    for place, address in enumerate(dict.fromkeys(addresses)):
        try:
            url = URL(address.rstrip("/"))
        except ValueError:
            url = URL()
        if url.scheme not in {"http", "https"} or not url.host:
            raise BadSettings(
                f"teacher.endpoints: number {place + 1} does not begin with http:// or https:// and a host"
            )
        if url.user or url.password or url.query_string:
            raise BadSettings(f"teacher.endpoints: number {place + 1} holds more than an address; {KEYS_GO}")
        endpoints.append(Endpoint(url))
    return endpoints


async def look_around(
    session: aiohttp.ClientSession,
    endpoints: Sequence[Endpoint],
    model: str,
    context: int,
) -> Offer:
    """What the servers offer. Those that do not answer are marked as down, and trusted to serve the same later.

    Args:
        session: of aiohttp.
        endpoints: at least one.
        model: name of the model; empty: the first that a server names.
        context: longest prompt and answer together; 0: what the servers say.

    Raises:
        TryAgain: none answers within `PATIENCE_S`.
        RunStops: one refuses the key, is no such server, or does not have the model.
    """
    deadline = time.monotonic() + PATIENCE_S
    names = ", ".join(endpoint.shown for endpoint in endpoints)
    while not (found := await _look(session, endpoints)):
        if time.monotonic() > deadline:
            raise TryAgain(f"none of teacher.endpoints answers: {names}; start the server or correct the address")
        log.info("no teacher endpoint answers yet, waiting: %s", names)
        await asyncio.sleep(min(LOOK_AGAIN_S, PATIENCE_S))
    chosen = model or next((served.models[0] for served in found.values() if served.models), "")
    if not chosen:
        raise BadSettings("teacher.model is empty and the server does not list its models: set it to one that it has")
    contexts = [context]
    for endpoint, served in found.items():
        endpoint.is_vllm = served.is_vllm
        if served.models and chosen not in served.models:
            shown = ", ".join(served.models[:MODELS_SHOWN])
            raise RunStops(f"teacher endpoint {endpoint.shown} serves {shown}, not {chosen}; correct teacher.model")
        contexts += [tokens for name, tokens in zip(served.models, served.context, strict=True) if name == chosen]
    known = [tokens for tokens in contexts if tokens]
    return Offer(chosen, all(served.is_vllm for served in found.values()), min(known, default=0))


async def _look(session: aiohttp.ClientSession, endpoints: Sequence[Endpoint]) -> dict[Endpoint, Served]:
    seen = await asyncio.gather(*(_look_at(session, endpoint) for endpoint in endpoints))
    for endpoint, served in zip(endpoints, seen, strict=True):
        endpoint.is_down = served is None
    return {endpoint: served for endpoint, served in zip(endpoints, seen, strict=True) if served}


async def _look_at(session: aiohttp.ClientSession, endpoint: Endpoint) -> Served | None:
    """What a server lists; None where it does not answer now."""
    try:
        status, body = await get(session, endpoint.url / "models", TIMEOUT_S)
        if status in NO_LIST:
            return Served()
        if status != 200:
            raise fault(status, {}, body, endpoint.shown)
        listed = orjson.loads(body)["data"]
        return Served(
            tuple(str(entry["id"]) for entry in listed),
            any(entry.get("owned_by") == "vllm" for entry in listed),
            tuple(int(entry.get("max_model_len") or 0) for entry in listed),
        )
    except Passing:
        return None
    except (Unfit, ValueError, TypeError, KeyError, AttributeError):
        raise RunStops(
            f"teacher endpoint {endpoint.shown} does not list its models as OpenAI's API does; correct the address"
        ) from None
