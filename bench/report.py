"""How long a report of many rows takes, and how large it is: `python -m bench.report OUT [ROWS]`.

A run of fewer rows has them over and over; explained are its own ones alone, so that a small run tells less of the
size. The README has both: the demo over and over, and a run of 9,904 rows.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from bench.machine import machine
from fanno_core.dataset.made import Made, open_made
from fanno_core.report.explained import explained
from fanno_core.report.measure import measure
from fanno_core.report.table import report_rows
from fanno_core.report.write import write_report
from fanno_core.store.contracts import Example, Floats
from fanno_core.store.location import open_location

ROWS = 10_000
DIMENSIONS = 384
CLUSTERS = 200
Row = TypeVar("Row")


class Multiplied(Made):
    """A finished run with its rows over and over, each with an id, an instruction and a vector of its own."""

    count = ROWS

    @cached_property
    def rows(self) -> list[Example]:
        """The rows, as many as are wanted."""
        own = super().examples()
        numbered = ((number, own[number % len(own)]) for number in range(self.count))
        return [
            replace(row, id=f"{number:016x}", instruction=f"{row.instruction} ({number:,})") for number, row in numbered
        ]

    def examples(self) -> list[Example]:
        """The same."""
        return self.rows

    def extra(self, phase: str, name: str, contract: Callable[..., Row]) -> list[Row]:
        """An extra table of the run; of its vectors, those of these rows."""
        if name != "vectors":
            return super().extra(phase, name, contract)  # noqa: S610 - no Django
        return [contract(row.id, vector) for row, vector in zip(self.rows, self.vectors, strict=True)]

    @cached_property
    def vectors(self) -> Floats:
        """`[n, d]` unit vectors in clusters."""
        rng = np.random.default_rng(0)
        points = rng.normal(size=(self.count, DIMENSIONS))
        points += 3 * rng.normal(size=(CLUSTERS, DIMENSIONS))[np.arange(self.count) % CLUSTERS]
        return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)


def timed(work: Callable[[], Row]) -> tuple[Row, float]:
    """What came of the work, and its seconds."""
    started = time.perf_counter()
    return work(), time.perf_counter() - started


def nothing_new(texts: Any) -> Floats:
    """The encoder, of which nothing is asked: the vectors are there."""
    if texts:
        raise ValueError("a row without a vector")
    return np.zeros((0, DIMENSIONS), np.float32)


def main() -> None:
    """Prints the seconds of measuring, explaining and writing, and the size of the page."""
    made = open_made(open_location(sys.argv[1]))
    many = Multiplied(made.out, made.record)
    many.count = int(sys.argv[2]) if len(sys.argv) > 2 else ROWS
    numbers, measured_s = timed(lambda: measure(many, nothing_new, made.settings.report))
    told, explained_s = timed(lambda: asyncio.run(explained(made, numbers, report_rows(made))))
    with tempfile.TemporaryDirectory() as folder:
        _, written_s = timed(lambda: write_report(Path(folder), numbers, report_rows(many), told))
        size = (Path(folder) / "report" / "index.html").stat().st_size
    figures = {
        "rows": many.count,
        "explained": len(told),
        "measured_s": measured_s,
        "explained_s": explained_s,
        "written_s": written_s,
        "bytes": size,
    }
    print(
        f"{many.count:,} rows: measured in {measured_s:.1f} s, {len(told):,} explained in {explained_s:.1f} s, "
        f"written in {written_s:.1f} s, {size / 1e6:.1f} MB"
    )
    print(json.dumps({"bench": "report", "machine": machine(), "figures": figures}))


if __name__ == "__main__":
    main()
