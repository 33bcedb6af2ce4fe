"""Which processes a test has left, told by what it put into their environment."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


def marked(text: str) -> list[int]:
    """Living processes that have this text in their environment, as it was at their start."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if text.encode() in (folder / "environ").read_bytes():
                found.append(int(folder.name))
    return found


def wait_until(holds: Callable[[], bool], limit_s: float = 30.0) -> None:
    """Waits until something holds; it has failed when it does not in time."""
    end = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < end, f"not within {limit_s} s"
        time.sleep(0.1)
