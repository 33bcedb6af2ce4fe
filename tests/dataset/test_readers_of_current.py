from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from fanno_core.dataset.current import current, current_number
from fanno_core.dataset.manifest import versions, wrong_files
from fanno_core.store.durable import sha256_of

PUBLISHES, KILLS = 50, 4
LIMIT_S = 120.0

pytestmark = pytest.mark.slow


class Reader(threading.Thread):
    """Reads in a loop until it is told to stop, and keeps what it took for wrong."""

    def __init__(self, read: Callable[[], int]) -> None:
        super().__init__()
        self._read, self._ended = read, threading.Event()
        self.seen: set[int] = set()
        self.missing = 0
        self.wrong: list[str] = []
        self.start()

    def run(self) -> None:
        while not self._ended.is_set():
            try:
                self.seen.add(self._read())
            except FileNotFoundError:
                self.missing += 1
            except AssertionError as error:
                self.wrong.append(str(error))

    def end(self) -> None:
        self._ended.set()
        self.join()


def read_version_once(out: Path) -> int:
    """The number of the version that `current` leads to, after every file was held against its manifest."""
    folder = Path(os.path.realpath(out / "current", strict=True))
    manifest = json.loads((folder / "manifest.json").read_bytes())
    for name, sha256 in manifest["files"].items():
        assert sha256_of((folder / name).read_bytes()) == sha256, f"{folder.name}/{name}"
    return int(manifest["number"])


def read_through_the_link(out: Path) -> int:
    """The same without looking where `current` leads: every file of rows that was listed is the one that is read."""
    names = [path.name for path in (out / "dataset").iterdir() if path.name.startswith("train-")]
    assert names, "a data set without rows"
    for name in names:
        data = (out / "dataset" / name).read_bytes()
        assert sha256_of(data).startswith(name.removesuffix(".parquet")[-8:]), name
    return int(json.loads((out / "current/manifest.json").read_bytes())["number"])


def test_readers_see_whole_versions_while_publishers_are_killed(tmp_path: Path) -> None:
    out, chance = tmp_path / "out", random.Random(7)
    readers = [Reader(lambda: read_version_once(out)), Reader(lambda: read_through_the_link(out))]
    try:
        for kill in range(KILLS + 1):
            publisher = subprocess.Popen([sys.executable, "-m", "tests.dataset.publishing", str(out), str(PUBLISHES)])
            if kill < KILLS:
                _wait_for((kill + 1) * PUBLISHES // (KILLS + 2), out)
                time.sleep(chance.uniform(0, 0.3))
                publisher.send_signal(signal.SIGKILL)
                assert publisher.wait() == -signal.SIGKILL
            else:
                assert publisher.wait(LIMIT_S) == 0
    finally:
        for reader in readers:
            reader.end()
    assert [reader.wrong for reader in readers] == [[], []]
    assert all(len(reader.seen) > PUBLISHES // 4 for reader in readers), [len(reader.seen) for reader in readers]
    last = current(out)
    assert last is not None
    assert last.number == PUBLISHES
    assert all(wrong_files(out, version) == [] for version in versions(out))


def _wait_for(number: int, out: Path) -> None:
    """Until so many versions were published."""
    end = time.monotonic() + LIMIT_S
    while time.monotonic() < end:
        with suppress(OSError):
            if current_number(out) >= number:
                return
        time.sleep(0.01)
    pytest.fail(f"version {number} was not published within {LIMIT_S} s")
