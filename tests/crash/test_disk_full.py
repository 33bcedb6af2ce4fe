"""A disk that is full at twenty places of a run: one sentence, nothing corrupt, and on it goes when there is room."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from fanno_core.errors import RunStops
from tests.conftest import Fanno, record_of, run_here, sets
from tests.crash.conftest import Reference
from tests.crash.scripted import journalled, numbers, scripted, temporaries, told
from tests.crash.test_damage import found

pytestmark = [
    pytest.mark.crash,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a small disk"),
]

PLACES = 20
SEED = 5
DISK = 8 * 2**20
PAGE = 4096


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "none", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting is not allowed here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def leave(disk: Path, room: int) -> None:
    """Fills the disk but for so many bytes."""
    filler = disk / "filler"
    filler.unlink(missing_ok=True)
    free = os.statvfs(disk)
    if room < free.f_bavail * free.f_frsize:
        with filler.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_frsize - room)


def test_a_full_disk_is_told_in_one_sentence(fanno: Fanno, documents: Path, disk: Path) -> None:
    leave(disk, 20 * PAGE)
    with scripted() as server:
        ended = fanno("run", "--corpus", documents, "--out", disk / "out", *sets(*told(server)))
    assert ended.code == 1
    assert "Traceback" not in ended.err + ended.out
    (told_last,) = [line for line in ended.err.splitlines() if line.startswith("error: ")]
    assert "No space left on device" in told_last or "disk is full" in told_last


def test_a_run_that_meets_twenty_full_disks(documents: Path, reference: Reference, disk: Path) -> None:
    rng, out, met = random.Random(SEED), disk / "out", 0
    with scripted() as server:
        while met < PLACES:
            leave(disk, rng.randint(1, 12) * PAGE)
            before, heard = journalled(out), len(server.seen)
            with pytest.raises(RunStops, match=r"No space left on device|disk is full") as error:
                run_here([documents], out, *told(server))
            assert "\n" not in str(error.value)
            assert found(out) == []
            assert temporaries(out) == []
            assert not numbers(server.seen[heard:]) & before
            met += 1
        leave(disk, DISK)
        run_here([documents], out, *told(server))
    assert record_of(out)["dataset"] == reference.dataset
    assert found(out) == []
