"""Where an API key comes from. Settings name the place; the key itself is in no message, no log and no repr."""

from __future__ import annotations

import os

from pydantic import SecretStr

from fanno_core.errors import RunStops

PREFECT = "prefect:"

_provided: dict[str, SecretStr] = {}


def provide(place: str, key: str) -> None:
    """Keeps a key for this process that was fetched from `place`, such as `prefect:my-block`."""
    _provided[place] = SecretStr(key)


def find_key(place: str) -> SecretStr | None:
    """The key at this place; None where the environment variable is unset, since local servers need none.

    Args:
        place: the name of an environment variable, or what `provide` was told.

    Raises:
        RunStops: nobody provided it, or it cannot be sent.
    """
    if place.startswith(PREFECT) and place not in _provided:
        raise RunStops(f"teacher.api_key: the Secret block {place.removeprefix(PREFECT)} was not loaded; create it")
    found = _provided.get(place) or SecretStr(os.environ.get(place, "") if place else "")
    key = SecretStr(found.get_secret_value().strip())
    if not all("!" <= letter <= "~" for letter in key.get_secret_value()):
        raise RunStops(f"teacher.api_key: what {place} holds is no API key: it has spaces or letters outside ASCII")
    return key if key.get_secret_value() else None
