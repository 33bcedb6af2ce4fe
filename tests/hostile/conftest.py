"""A corpus of good neighbours, and a child process that reads it together with what is hostile."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from tests.hostile.measured import Measured, measure, warm_up

LIMIT_S = 10
LIMIT_BYTES = 2 * 2**30
GOOD = (
    "Bees find their way by the sun, by landmarks and by the smell of the hive. A forager that has found flowers comes "
    "home and dances in front of the others. The angle of her dance tells the direction, and its length the distance."
)
ANOTHER = (
    "Rivers carry water from the mountains to the sea. On their way they pick up sand and mud, which they leave where "
    "the current slows down. That is how plains and deltas grow, and why so many towns were founded beside them."
)
Put = Callable[[Path], object]
Read = Callable[[Put], Measured]


@pytest.fixture(scope="package")
def child() -> Iterator[ProcessPoolExecutor]:
    if sys.platform != "linux":
        pytest.skip("reads a process' peak memory from /proc")
    with ProcessPoolExecutor(1, get_context("spawn"), warm_up) as pool:
        yield pool


def neighbours(folder: Path) -> None:
    """Files before and after whatever a test puts between them, in the order of names."""
    folder.mkdir()
    (folder / "a.txt").write_text(GOOD)
    (folder / "z.jsonl").write_text(json.dumps({"text": ANOTHER, "id": "z1"}) + "\n")


@pytest.fixture(scope="package")
def alone(child: ProcessPoolExecutor, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The neighbours' rows where nothing hostile stands between them."""
    folder = tmp_path_factory.mktemp("alone") / "corpus"
    neighbours(folder)
    kept: dict[str, bytes] = child.submit(measure, [str(folder)]).result(60).kept
    assert set(kept) == {"a.txt", "z.jsonl"}
    return kept


@pytest.fixture
def read_beside(child: ProcessPoolExecutor, alone: dict[str, bytes], tmp_path: Path) -> Read:
    """Reads what a test puts between the neighbours, and holds it to the limits and them to their bytes."""

    def read(put: Put) -> Measured:
        folder = tmp_path / "corpus"
        neighbours(folder)
        put(folder)
        found = child.submit(measure, [str(folder)]).result(120)
        assert found.ingest_s < LIMIT_S
        assert found.screen_s < LIMIT_S
        assert found.peak_bytes < LIMIT_BYTES
        assert {name: found.kept[name] for name in alone} == alone
        print(f"\n{found.ingest_s:.1f} s, {found.screen_s:.1f} s, {found.peak_bytes >> 20} MiB, {found.reasons}")
        return found

    return read
