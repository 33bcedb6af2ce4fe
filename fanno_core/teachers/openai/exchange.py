"""One HTTP exchange with a server: bytes out, JSON in, within limits of time and size."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import aiohttp
import orjson
from pydantic import SecretStr
from yarl import URL

from fanno_core.teachers.openai.endpoints import Endpoint
from fanno_core.teachers.openai.faults import Passing, fault

# Some ten times the longest answer: 256 bodies without an end, all at once, stay below 1 GiB with all else.
LIMIT_BYTES = 2 * 2**20
CONNECT_S = 10.0
# Below the 5 s after which uvicorn, and so vLLM, closes an idle connection: a request must not meet that moment.
KEEP_ALIVE_S = 4.0


def new_session(key: SecretStr | None, timeout_s: float) -> aiohttp.ClientSession:
    """A session whose every exchange ends within `timeout_s`. How many there are at a time is not its affair."""
    headers = {"User-Agent": "fanno", "Content-Type": "application/json", "Accept": "application/json"}
    if key:
        headers["Authorization"] = f"Bearer {key.get_secret_value()}"
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE_S),
        headers=headers,
        timeout=aiohttp.ClientTimeout(total=timeout_s, sock_connect=CONNECT_S),
        cookie_jar=aiohttp.DummyCookieJar(),
    )


async def post(session: aiohttp.ClientSession, endpoint: Endpoint, url: URL, body: bytes) -> dict[str, Any]:
    """The JSON object that the server answers.

    Raises:
        Passing, TooLong, Unfit: as `faults` says.
        RunStops: the server cannot be used as it is set up.
    """
    status, headers, text = await _exchange(session, "POST", url, body)
    if status != 200:
        raise fault(status, headers, text, endpoint.shown)
    if "json" not in headers.get("Content-Type", ""):
        raise Passing("an answer that is no JSON")
    reply = _read(text)
    if not isinstance(reply, dict):
        raise Passing("JSON that is no object")
    return reply


def _read(text: bytes) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        try:  # Python's own reader takes what some servers write: -Infinity, or half of a surrogate pair
            return json.loads(text)
        except (ValueError, RecursionError):
            raise Passing("JSON that cannot be read") from None


async def get(session: aiohttp.ClientSession, url: URL, timeout_s: float) -> tuple[int, bytes]:
    """Status and body, whatever they are.

    Raises:
        Passing: nothing came in time, or too much.
    """
    status, _, body = await _exchange(session, "GET", url, None, aiohttp.ClientTimeout(timeout_s))
    return status, body


async def _exchange(
    session: aiohttp.ClientSession,
    method: str,
    url: URL,
    body: bytes | None,
    timeout: aiohttp.ClientTimeout | None = None,
) -> tuple[int, Mapping[str, str], bytes]:
    try:
        async with session.request(
            method, url, data=body, allow_redirects=False, timeout=timeout or session.timeout
        ) as response:
            return response.status, response.headers, await _whole(response)
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
        raise Passing("no connection", unreachable=True) from None
    except TimeoutError:
        raise Passing("no answer in time") from None
    except (aiohttp.ClientError, OSError):
        raise Passing("a broken connection") from None


async def _whole(response: aiohttp.ClientResponse) -> bytes:
    parts, size = [], 0
    async for part in response.content.iter_any():
        parts.append(part)
        size += len(part)
        if size > LIMIT_BYTES:
            response.close()
            raise Passing(f"more than {LIMIT_BYTES:,} bytes")
    return b"".join(parts)
