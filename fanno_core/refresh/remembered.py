"""What must not come back: `OUT/work/forgotten.json` holds digests, and no text."""

from __future__ import annotations

import json
from collections.abc import Iterable

from fanno_core.errors import RunStops
from fanno_core.store.durable import read_whole, write_durably
from fanno_core.store.location import Location

FILE = "forgotten.json"


def forgotten_in(out: Location) -> frozenset[str]:
    """The keys (`forgotten_key`) of the segments that were forgotten in this folder.

    Raises:
        RunStops: the file cannot be read; without it, they would come back.
    """
    path = out / "work" / FILE
    try:
        return frozenset(map(str, json.loads(read_whole(path))))
    except FileNotFoundError:
        return frozenset()
    except (OSError, ValueError, TypeError):
        raise RunStops(f"{path} cannot be read, so what was forgotten would come back; restore it") from None


def remember(out: Location, keys: Iterable[str]) -> None:
    """Adds the keys of segments that are forgotten from now on."""
    known = forgotten_in(out) | {*keys}
    write_durably(out / "work" / FILE, (json.dumps(sorted(known), indent=1) + "\n").encode())
