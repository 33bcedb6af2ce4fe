"""Fifty kills at seeded random moments over one run, which then goes on to its end as if nothing had been."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import StateType

from deployments.server import prefect_api
from fanno_core.teachers.journalled import MOST_UNWRITTEN
from tasks.reaping import read_owner
from tests.conftest import Fanno, record_of, sets
from tests.crash.conftest import Reference
from tests.crash.scripted import CONCURRENCY, IN_FLIGHT, journalled, numbers, scripted, temporaries, told
from tests.processes import wait_until
from tests.stub_openai import StubOpenAI

pytestmark = pytest.mark.crash

KILLS = 50
SEED = 20_261_120
# A fifth of the kills meets the start of the process, the others come this long after it has taken the folder.
EARLY = 0.2
START_S = 3.0
MEAN_S = 1.5
# What the teacher works between two kills, on average, so that the run does not end before the last of them.
PROGRESS_S = 0.8


@dataclass
class Victim:
    """A run that is killed again and again."""

    fanno: Fanno
    documents: Path
    out: Path
    server: StubOpenAI
    asked: Counter[int] = field(default_factory=Counter)
    lost: list[int] = field(default_factory=list)
    owners: list[str] = field(default_factory=list)

    def command(self) -> list[str]:
        """What a user would type."""
        return ["run", "--corpus", str(self.documents), "--out", str(self.out), *sets(*told(self.server))]

    def live_and_die(self, rng: random.Random) -> None:
        """Goes on until a random moment, and is killed there with all of its process group."""
        before, heard = journalled(self.out), len(self.server.seen)
        with (self.out.parent / "log.txt").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "deployments", *self.command()],
                env=self.fanno.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        if rng.random() < EARLY:
            time.sleep(rng.uniform(0, START_S))
        else:
            wait_until(lambda: self._owned_by(process.pid) or process.poll() is not None, 60)
            time.sleep(rng.expovariate(1 / MEAN_S))
        os.killpg(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL, "the run ended before it was killed"
        wait_until(lambda: self.server.in_flight == 0)
        if self._owned_by(process.pid):
            owner = read_owner(self.out)
            self.owners.append(owner.flow_run if owner else "")
        asked, after = numbers(self.server.seen[heard:]), journalled(self.out)
        assert not asked & before, "an answer that stood in the journal was asked again"
        assert not before - after, "an answer is gone from the journal"
        self.asked += asked
        self.lost.append((asked - after).total())

    def _owned_by(self, pid: int) -> bool:
        owner = read_owner(self.out)
        return owner is not None and owner.pid == pid


def test_fifty_kills_lose_nothing_double_nothing_and_ask_nothing_again(
    fanno: Fanno, documents: Path, reference: Reference, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = random.Random(SEED)
    with scripted() as server:
        victim = Victim(fanno, documents, tmp_path / "out", server)
        for kill in range(KILLS):
            missing = max(1, len(reference.asked) - journalled(victim.out).total())
            server.latency_s = min(2.0, PROGRESS_S * (KILLS - kill) * IN_FLIGHT / missing)
            victim.live_and_die(rng)
        server.latency_s = 0.0
        heard, before = len(server.seen), journalled(victim.out)
        ended = fanno(*victim.command())
        assert ended.code == 0, ended.err
        last = numbers(server.seen[heard:])
    assert not last & before
    victim.asked += last
    assert record_of(victim.out)["dataset"] == reference.dataset
    assert_whole(fanno, victim.out, reference)
    assert set(victim.asked) == set(reference.asked), "the same questions as without kills, and no others"
    twice = victim.asked.total() - len(victim.asked)
    assert twice == sum(victim.lost), "nothing was asked twice but what a kill had cost"
    assert max(victim.lost) <= IN_FLIGHT + CONCURRENCY * MOST_UNWRITTEN
    assert asyncio.run(states_of(victim.owners)) == [StateType.CRASHED] * len(victim.owners)
    with capsys.disabled():
        met = f"{len(victim.owners)} of them when the run owned its folder"
        print(
            f"\n{KILLS} kills, {met}; {len(reference.asked)} questions, {twice} asked twice, {max(victim.lost)} a kill"
        )


def assert_whole(fanno: Fanno, out: Path, reference: Reference) -> None:
    """Nothing is damaged, lost, doubled or left."""
    verified = fanno("verify", out)
    assert verified.code == 0, verified.out
    assert temporaries(out) == []
    rows = sorted((out / "dataset").glob("train-*.parquet"))
    ids = [value for file in rows for value in pq.read_table(file, columns=["id"]).column("id").to_pylist()]
    assert len(ids) == len(set(ids)) == reference.dataset["rows"]
    assert journalled(out) == reference.asked


async def states_of(runs: list[str]) -> list[StateType | None]:
    with prefect_api():
        async with get_client() as client:
            return [(await client.read_flow_run(run)).state_type for run in runs]
