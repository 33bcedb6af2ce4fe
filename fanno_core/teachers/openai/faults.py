"""What can go wrong in one exchange with a server, and what has to happen then."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import orjson

from fanno_core.errors import RunStops

PASSING = {408, 409, 425, 429}
OVERLOADED = {429, 503}
UNFIT = {400, 413, 422}
LONGEST_REST_S = 600.0
HINTS = {
    401: "; set the environment variable or block that teacher.api_key names",
    403: "; the key does not open this model",
    404: "; correct teacher.endpoints (an address mostly ends with /v1) or teacher.model",
}
ECHOES = {"body", "ctx", "input", "messages", "prompt", "request"}
"""Fields in which servers repeat what they were sent."""

_TOO_LONG = re.compile(
    r"context[ _](?:length|size|window)|maximum (?:model|context|input|sequence) |max_model_len|prompt is too long"
    r"|max_new_tokens",
    re.IGNORECASE,
)
_CONTEXT = re.compile(
    r"(?:context (?:length|size|window)(?: of the model)?(?: is| of|:)?|must be <=|max_model_len[^0-9]{0,9}|\"n_ctx\":)"
    r"\s*\(?(\d+)",
    re.IGNORECASE,
)
# vLLM says "at least" where it did not count to the end.
_PROMPT = re.compile(
    r"(?:prompt contains|resulted in|\"n_prompt_tokens\":|given:)\s*(\d+)\b(?! char)"
    r"|\((\d+) in the (?:messages|prompt)",
    re.IGNORECASE,
)


@dataclass
class Passing(Exception):
    """The same request may succeed later.

    Attributes:
        what: in a few words, without anything that the server wrote.
        unreachable: no connection came about.
        alive: the server is well, but not ready for this.
        overloaded: the server has too much to do.
        rest_s: seconds for which it wants to be left alone; 0: it does not say.
    """

    what: str
    unreachable: bool = False
    alive: bool = False
    overloaded: bool = False
    rest_s: float = 0.0


@dataclass
class TooLong(Exception):
    """The prompt, or prompt and answer together, exceed the model's context.

    Attributes:
        context: tokens of the context; 0: the server does not say.
        tokens: tokens of the prompt; 0: the server does not say.
    """

    context: int = 0
    tokens: int = 0


@dataclass
class Unfit(Exception):
    """The server refuses this request, and would again.

    Attributes:
        complaint: what it wrote, in lower case; for finding the part that it refuses, never for a message.
    """

    complaint: str


def fault(status: int, headers: Mapping[str, str], body: bytes, place: str) -> Exception:
    """What a status other than 200 means: `Passing`, `TooLong`, `Unfit` or `RunStops`.

    Args:
        status: HTTP status.
        headers: of the response.
        body: of the response; it is looked at, and shown nowhere.
        place: the server's address, for messages.
    """
    if status in PASSING or status >= 500:
        rest_s = retry_after(headers.get("Retry-After", ""), datetime.now(UTC))
        return Passing(_named(status), alive=status < 500, overloaded=status in OVERLOADED, rest_s=rest_s)
    if status in UNFIT:
        said = _said(body)
        return _too_long(said) if _TOO_LONG.search(said) else Unfit(said.lower())
    if 300 <= status < 400:
        return RunStops(f"teacher endpoint {place} redirects elsewhere, which is not followed; correct the address")
    return RunStops(f"teacher endpoint {place} answers {_named(status)}{HINTS.get(status, '')}")


def retry_after(value: str, now: datetime) -> float:
    """Seconds that a Retry-After header asks for, at most ten minutes; 0 where it cannot be read."""
    try:
        seconds = float(value)
    except ValueError:
        try:
            then = parsedate_to_datetime(value)
        except ValueError:
            return 0.0
        seconds = ((then if then.tzinfo else then.replace(tzinfo=UTC)) - now).total_seconds()
    return min(max(seconds, 0.0), LONGEST_REST_S) if seconds == seconds else 0.0


def _said(body: bytes) -> str:
    """What the server wrote, as far as it is no echo of the request: a document's words must not steer us."""
    try:
        return orjson.dumps(_without_echo(orjson.loads(body))).decode()
    except orjson.JSONDecodeError:
        return body.decode("utf-8", "replace")


def _without_echo(said: Any) -> Any:
    if isinstance(said, dict):
        return {name: _without_echo(value) for name, value in said.items() if name not in ECHOES}
    return [_without_echo(value) for value in said] if isinstance(said, list) else said


def _named(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _too_long(body: str) -> TooLong:
    context, prompt = _CONTEXT.search(body), _PROMPT.search(body)
    return TooLong(
        int(context[1]) if context else 0, next((int(group) for group in prompt.groups() if group), 0) if prompt else 0
    )
