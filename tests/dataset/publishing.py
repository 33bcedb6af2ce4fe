"""A process that publishes version after version until it is killed: `python -m tests.dataset.publishing OUT LAST`."""

from __future__ import annotations

import sys
from pathlib import Path

from fanno_core.dataset.current import publish
from fanno_core.dataset.manifest import versions
from fanno_core.dataset.sweep import sweep
from tests.dataset.nights import ids, night, rows

ROWS = 200


def publish_up_to(out: Path, last: int) -> None:
    """Goes on from what a killed publisher has left."""
    there = versions(out)
    if there:
        publish(out, there[-1].number)
    for number in range(len(there) and there[-1].number, last):
        gone = ids([number]) if number else []
        version = night(out, rows(range(ROWS) if not number else [number + 1], f"Night {number}."), gone, number)
        publish(out, version.number)
        if number % 5 == 0:
            sweep(out, 20)


if __name__ == "__main__":
    publish_up_to(Path(sys.argv[1]), int(sys.argv[2]))
