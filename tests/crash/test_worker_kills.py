"""A machine that is lost with its worker and, once, with the Prefect server: what ran there is ended and goes on."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from deployments.server import ensure_server, running_server
from fanno_core.settings import load_settings
from tasks.reaping import read_owner
from tests.conftest import Fanno, record_of, sets
from tests.crash.conftest import Reference
from tests.crash.scripted import journalled, numbers, scripted, told
from tests.deployments.deploying import FILE, prefect
from tests.deployments.test_prefect_yaml import deployment
from tests.deployments.workers import Worker, start_worker
from tests.processes import marked, wait_until
from tests.stub_openai import StubOpenAI

pytestmark = pytest.mark.crash

KILLS = 5
SEED = 3


@pytest.fixture
def deployed(fanno: Fanno) -> str:  # noqa: ARG001 - it sets the environment
    url = ensure_server().url
    for pool in ("gpu", "cpu"):
        httpx.post(f"{url}/work_pools/", json={"name": pool, "type": "process"})  # it may be there already
    prefect(url, "--no-prompt", "deploy", "--all", "--prefect-file", str(FILE))
    return url


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[list[Worker]]:
    started: list[Worker] = []
    yield started
    for pid in marked(str(tmp_path)):
        os.kill(pid, signal.SIGKILL)


def lose_the_machine(worker: Worker) -> None:
    """Kills the worker, its guards, Prefect's worker and the flow runs, all at once."""
    for pid in marked(worker.mark):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    worker.process.wait()
    wait_until(lambda: not marked(worker.mark))


def state_of(flow_run: str) -> str:
    return str(httpx.get(f"{ensure_server().url}/flow_runs/{flow_run}").raise_for_status().json()["state_type"])


def start_run(documents: Path, out: Path, server: StubOpenAI) -> str:
    """Id of a flow run that a worker will take."""
    settings = load_settings(None, told(server)).model_dump(mode="json", exclude_unset=True)
    chosen = {"corpus": [str(documents)], "out": str(out), "settings": settings}
    url = ensure_server().url
    made = httpx.post(
        f"{url}/deployments/{deployment(url, 'demo')['id']}/create_flow_run",
        json={"parameters": chosen, "state": {"type": "SCHEDULED"}},
    )
    return str(made.raise_for_status().json()["id"])


@pytest.mark.usefixtures("deployed")
def test_a_run_through_prefect_survives_five_lost_machines(
    fanno: Fanno, documents: Path, reference: Reference, tmp_path: Path, workers: list[Worker]
) -> None:
    rng, out, lost = random.Random(SEED), tmp_path / "out", list[str]()
    with scripted(latency_s=0.2) as server:
        for kill in range(KILLS):
            # Its deployment lets one run at a time go, so each waits until the one before it is known to be over.
            workers.append(start_worker(fanno, tmp_path, "--pool", "cpu"))
            workers[-1].wait_for("Worker 'cpu on ")
            assert [state_of(run) for run in lost] == ["CRASHED"] * kill
            run = start_run(documents, out, server)
            wait_until(lambda run=run: bool((owner := read_owner(out)) and owner.flow_run == run), 60)  # type: ignore[misc]
            time.sleep(rng.uniform(0, 4))
            lose_the_machine(workers[-1])
            assert state_of(run) == "RUNNING", "nobody was left to say so"
            lost.append(run)
            if kill == KILLS // 2:
                prefect_server = running_server()
                assert prefect_server
                os.killpg(prefect_server.pid, signal.SIGKILL)
        server.latency_s = 0.0
        heard, before = len(server.seen), journalled(out)
        ended = fanno("run", "--corpus", documents, "--out", out, *sets(*told(server)))
        assert ended.code == 0, ended.err
        assert not numbers(server.seen[heard:]) & before
    assert record_of(out)["dataset"] == reference.dataset
    assert [state_of(run) for run in lost] == ["CRASHED"] * KILLS
    assert marked(str(tmp_path)) == []
