"""A run that is stopped, however it is stopped, goes on where it was and ends in the same bytes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import SMALL, Fanno, record_of, sets
from tests.processes import wait_until
from tests.stub_openai import StubOpenAI, drip, several


def start(fanno: Fanno, corpus: Path, out: Path, *assignments: str) -> subprocess.Popen[str]:
    settings = sets(*SMALL, *assignments)
    command = [sys.executable, "-m", "deployments", "run", "--corpus", str(corpus), "--out", str(out), *settings]
    return subprocess.Popen(
        command,
        env=fanno.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for(path: Path, process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 60
    while not path.exists() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.02)
    assert path.exists()


@pytest.mark.slow
@pytest.mark.parametrize("phase", ["rules", "encode", "responses"])
def test_kill_and_run_again_gives_the_same_bytes(
    fanno: Fanno, corpus: Path, finished: Path, tmp_path: Path, phase: str
) -> None:
    out = tmp_path / "out"
    process = start(fanno, corpus, out)
    wait_for(out / "work" / "ledger" / phase, process)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (out / "dataset" / "manifest.json").exists()
    record = fanno.run(corpus, out)
    assert record["dataset"] == record_of(finished)["dataset"]
    assert record["phases"][0]["tasks_cached"] == record["phases"][0]["tasks"]
    assert not list(out.rglob("*.tmp"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_polite_stop_says_how_to_go_on(fanno: Fanno, corpus: Path, tmp_path: Path, number: signal.Signals) -> None:
    out = tmp_path / "out"
    process = start(fanno, corpus, out)
    wait_for(out / "work" / "ledger" / "rules", process)
    process.send_signal(number)
    assert_tells_how_to_go_on(process)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_polite_stop_does_not_wait_for_a_teacher_that_hangs(
    fanno: Fanno, corpus: Path, tmp_path: Path, number: signal.Signals
) -> None:
    with StubOpenAI() as server:
        server.then(*several(drip, 1000))
        teacher = ("teacher.name=openai", f'teacher.endpoints=["{server.url}"]')
        process = start(fanno, corpus, tmp_path / "out", *teacher)
        wait_until(lambda: server.in_flight > 0 or process.poll() is not None, 60)
        time.sleep(1)  # longer than anything but such an answer takes
        assert server.in_flight
        process.send_signal(number)
        assert_tells_how_to_go_on(process)


def assert_tells_how_to_go_on(process: subprocess.Popen[str]) -> None:
    """After a signal that was sent just now."""
    started = time.monotonic()
    _, told = process.communicate(timeout=30)
    assert time.monotonic() - started < 10
    assert process.returncode == 130
    assert "goes on: fanno run --corpus" in told
    assert "Traceback" not in told


def test_a_second_run_on_the_same_folder_is_refused(fanno: Fanno, corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    process = start(fanno, corpus, out)
    wait_for(out / "work" / "lock", process)
    ended = fanno("run", "--corpus", corpus, "--out", out, *sets(*SMALL))
    process.kill()
    process.communicate()
    assert ended.code == 1
    assert "another run is writing to" in ended.err
