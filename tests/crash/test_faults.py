"""Whole runs whose teacher fails: they end in the same bytes, obey it when it asks for rest, and stay small."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from fanno_core.teachers.openai import dispatch
from fanno_core.teachers.openai.endpoints import FAULTS_UNTIL_DOWN
from tests.conftest import Fanno, record_of, run_here, sets
from tests.crash.conftest import Reference
from tests.crash.scripted import numbers, scripted, told
from tests.stub_openai import Fault, cut_short, flood, reset, status

pytestmark = pytest.mark.slow

MANY = 20_000
MOST = 16
BUSY = (f"teacher.in_flight={MOST}", "run.concurrency=8")
# Of the outage: so many questions are answered before it, and so long it takes.
BEFORE = 100
OUTAGE_S = 60.0
# So long the answers that were under way when it began still come in, each of which says that the server is well.
BEGINNING_S = 1.0
# Of the time after it: so many questions meet a server that turns away half of them, and wants to be left alone.
CROWDED = 60
REST_S = 1
# What was under way when the server asked for rest may still arrive.
UNDER_WAY_S = 0.2


@pytest.mark.parametrize("seed", range(10))
def test_a_teacher_that_fails_now_and_then_changes_no_byte(
    documents: Path, reference: Reference, tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "FIRST_PAUSE_S", 0.05)  # how long it waits is another test's affair
    faults: list[Fault | None] = [status(500), reset, cut_short, None]
    with scripted() as server:
        server.then(*random.Random(seed).choices(faults, [0.10, 0.10, 0.05, 0.75], k=MANY))
        record = run_here([documents], tmp_path / "out", *told(server, *BUSY))
        assert numbers(server.seen).total() > 1.2 * reference.asked.total()
        assert set(numbers(server.seen)) == set(reference.asked)
    assert record["dataset"] == reference.dataset == record_of(tmp_path / "out")["dataset"]


class Ailing:
    """A script for a server that is well, then out, then crowded, then well.

    Attributes:
        met: when each request came, which part of the script it met, and how many were under way with it.
        refused: when the server asked for rest.
    """

    def __init__(self, in_flight: Callable[[], int], seed: int) -> None:
        self._in_flight, self._rng = in_flight, random.Random(seed)
        self._out_until = float("inf")
        self.met: list[tuple[float, str, int]] = []
        self.refused: list[float] = []

    def popleft(self) -> Fault | None:
        now, part = time.monotonic(), self._part()
        self.met.append((now, part, self._in_flight()))
        if part == "out":
            return self._rng.choice([status(500), reset])
        if part == "crowded" and self._rng.random() < 0.5:
            self.refused.append(now)
            return status(429, Retry_After=str(REST_S))
        return None

    def most(self, part: str, since: float = 0.0) -> int:
        """The most requests that were under way together in a part, or from some moment of it on."""
        return max(in_flight for at, met, in_flight in self.met if met == part and at >= since)

    def _part(self) -> str:
        count = Counter(part for _, part, _ in self.met)
        if count["well"] < BEFORE:
            return "well"
        if not count["out"]:
            self._out_until = time.monotonic() + OUTAGE_S
        if time.monotonic() < self._out_until:
            return "out"
        return "crowded" if count["crowded"] < CROWDED else "well again"


def test_an_outage_and_then_a_crowd_are_outlived(documents: Path, reference: Reference, tmp_path: Path) -> None:
    with scripted(latency_s=0.05) as server:
        server.script = ailing = Ailing(lambda: server.in_flight, seed=6)  # type: ignore[assignment]
        record = run_here([documents], tmp_path / "out", *told(server, *BUSY))
    assert record["dataset"] == reference.dataset
    out = [at for at, part, _ in ailing.met if part == "out"]
    assert out[-1] - out[0] > OUTAGE_S / 2, "it was asked now and then whether it is back"
    later = [at for at in out if at - out[0] > BEGINNING_S]
    assert len(out) - len(later) <= MOST * (FAULTS_UNTIL_DOWN + 1), "so many faults after each that said it was well"
    assert len(later) < OUTAGE_S, "and from then on less than once a second"
    assert ailing.most("well") == MOST
    assert 2 * ailing.most("crowded", ailing.refused[0] + REST_S) <= MOST
    rests = [at - asked for asked in ailing.refused for at, _, _ in ailing.met]
    early = [seconds for seconds in rests if UNDER_WAY_S < seconds < REST_S]
    assert early == []


def peak_bytes(command: list[str], fanno: Fanno, log: Path) -> int:
    """The most memory that a command held, which has to end well.

    Of itself everything counts, and of all that it started with it what the kernel cannot drop: no pages of files.
    """
    peak = 0
    with log.open("wb") as file:
        process = subprocess.Popen(command, env=fanno.environment, stdout=file, stderr=file)
        while process.poll() is None:
            alone = memory_bytes(process.pid, "VmHWM")
            peak = max(peak, alone, sum(memory_bytes(pid, "RssAnon") for pid in family(process.pid)))
            time.sleep(0.05)
    assert process.returncode == 0, log.read_text(encoding="utf-8")
    return peak


def memory_bytes(pid: int, which: str) -> int:
    """What the kernel says of a process, 0 if it has just ended."""
    try:
        told_by_kernel = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
        return int(told_by_kernel.split(f"{which}:")[1].split()[0]) * 1024
    except (OSError, IndexError):
        return 0


def family(pid: int) -> set[int]:
    """A process and all that it started, directly or not."""
    parents = {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents[int(file.parent.name)] = int(file.read_text(encoding="utf-8").rpartition(")")[2].split()[1])
    found, young = {pid}, {pid}
    while young:
        young = {child for child, parent in parents.items() if parent in young} - found
        found |= young
    return found


def test_endless_answers_fill_no_memory(
    fanno: Fanno, reference: Reference, documents: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Floods come before the encoder is loaded and after it; at 0.5 a run of more phases meets six of them in a row,
    # too often for its retries.
    log = tmp_path / "log.txt"
    out = shutil.copytree(reference.out, tmp_path / "out", ignore=shutil.ignore_patterns("journal.sqlite*"))
    for phase in ("verdicts", "encode", "responses", "publish"):
        shutil.rmtree(out / "work/ledger" / phase)
    with scripted() as server:
        server.then(*random.Random(7).choices([flood, None], [0.4, 0.6], k=MANY))
        many = sets(*told(server, "teacher.in_flight=256", "run.concurrency=8"))
        command = [sys.executable, "-m", "deployments", "run", "--corpus", str(documents), "--out", str(out), *many]
        peak = peak_bytes(command, fanno, log)
        asked, most = numbers(server.seen), server.most_in_flight
    assert asked.total() > 1.4 * len(asked)
    assert "encoder all-MiniLM" in log.read_text(encoding="utf-8")
    assert record_of(out)["dataset"] == reference.dataset
    with capsys.disabled():
        print(f"\n{asked.total()} requests for {len(asked)} answers, {most} at a time: at most {peak / 2**20:.0f} MiB")
    assert peak < 2**30
