from __future__ import annotations

import fcntl
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from deployments.pool.servers import context_of
from fanno_core.teachers.checkpoint import folder_revision
from fanno_core.teachers.pool import read_pool
from tests.conftest import Fanno
from tests.deployments.workers import StartWorker, Worker, start_worker, stub_model
from tests.processes import marked, wait_until

pytestmark = pytest.mark.slow


@pytest.fixture
def start(fanno: Fanno, tmp_path: Path) -> Iterator[StartWorker]:
    """Starts workers that do not outlive the test."""
    started: list[Worker] = []

    def begin(*words: str, **environment: str) -> Worker:
        started.append(start_worker(fanno, tmp_path, *words, **environment))
        return started[-1]

    yield begin
    for worker in started:
        worker.clean()


def server_on(port: int, mark: str) -> int:
    """Process of the server that listens on that port."""
    found = [pid for pid in marked(mark) if f"--port\0{port}\0".encode() in Path(f"/proc/{pid}/cmdline").read_bytes()]
    return max(found)  # the guard, which has the same words, was started before


def is_free(lock: Path) -> bool:
    with lock.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def test_a_worker_serves_restarts_what_dies_and_leaves_nothing(
    fanno: Fanno, tmp_path: Path, start: StartWorker
) -> None:
    worker = start("--pool", "two", *stub_model(tmp_path), "--servers", "2", "--context", "2048")
    worker.wait_for("Worker 'two on ")
    file = fanno.state / "pools" / "two.json"
    pool = read_pool(file)
    assert (pool.name, pool.model, pool.served, pool.context_tokens) == ("two", "tiny", "tiny", 2048)
    assert (pool.tokenizer, pool.revision) == (str(tmp_path / "tiny"), folder_revision(tmp_path / "tiny"))
    assert len(set(pool.endpoints)) == 2
    asked = {"model": "tiny", "messages": [{"role": "user", "content": "one two"}]}
    for endpoint in pool.endpoints:
        answer = httpx.post(f"{endpoint}/chat/completions", json=asked).json()
        assert answer["choices"][0]["message"]["content"] == "one two"

    second = fanno("worker", "--pool", "two")
    assert second.code == 1
    assert f"pool two has a worker on this host already (process {worker.process.pid})" in second.err

    port = int(pool.endpoints[1].removesuffix("/v1").rpartition(":")[2])
    killed = server_on(port, worker.mark)
    os.kill(killed, signal.SIGKILL)
    worker.wait_for(f"port {port} ended with exit code 137; starting it again in 1 s")
    wait_until(lambda: context_of(pool.endpoints[1], "tiny") == 2048)
    assert server_on(port, worker.mark) != killed
    assert context_of(pool.endpoints[0], "tiny") == 2048
    # Two servers with an engine each, three guards (the Prefect worker has one too), and the two workers.
    wait_until(lambda: len(marked(worker.mark)) == 9)

    assert worker.end(signal.SIGTERM) == 0
    assert worker.told().endswith("stopped\n")
    assert not file.exists()


def test_a_killed_worker_leaves_nothing_and_holds_its_pool_until_then(
    fanno: Fanno, tmp_path: Path, start: StartWorker
) -> None:
    worker = start("--pool", "killed", *stub_model(tmp_path))
    worker.wait_for("Worker 'killed on ")
    worker.process.kill()
    worker.process.wait()
    lock = fanno.state / "pools" / "killed.lock"
    assert not is_free(lock)
    assert worker.end(signal.SIGKILL) == -signal.SIGKILL
    wait_until(lambda: is_free(lock))


def test_a_server_that_is_never_ready_ends_the_command_with_its_log(
    fanno: Fanno, tmp_path: Path, start: StartWorker
) -> None:
    worker = start("--pool", "ill", *stub_model(tmp_path), "--start-limit-s", "2", STUB_NEVER_READY="1")
    assert worker.process.wait(60) == 1
    last = worker.told().strip().splitlines()[-1]
    assert last.startswith("error: vLLM on the CPU, port ")
    assert "was not ready after 2 s" in last
    assert Path(last.rpartition("its log is ")[2]).parent == fanno.state / "pools"
    assert marked(worker.mark) == []
    assert not (fanno.state / "pools" / "ill.json").exists()
