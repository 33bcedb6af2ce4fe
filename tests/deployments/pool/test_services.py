from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deployments.pool import services
from deployments.pool.services import Kept, Service
from fanno_core.errors import RunStops
from tests.processes import wait_until

Keep = Callable[..., Kept]


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def keep(tmp_path: Path, said: list[str]) -> Iterator[Keep]:
    """Makes services out of Python code; they end with the test."""
    made: list[Kept] = []
    lock = os.open(tmp_path, os.O_RDONLY)

    def make(code: str, answers: Callable[[], bool] | None = None, start_limit_s: float = 10) -> Kept:
        command = (sys.executable, "-c", code)
        service = Service("it", command, os.environ, tmp_path, tmp_path / "log", answers, start_limit_s)
        made.append(Kept(service, lock, said.append))
        return made[-1]

    yield make
    services.stop_all(made)
    os.close(lock)


def ticked(kept: Kept, holds: Callable[[], bool]) -> Callable[[], bool]:
    def look() -> bool:
        kept.tick()
        return holds()

    return look


def test_one_that_keeps_dying_is_waited_for_longer_and_then_given_up(
    keep: Keep, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "LONGEST_WAIT_S", 0.1)
    kept = keep("raise SystemExit(3)")
    kept.start()
    wait_until(ticked(kept, lambda: kept.given_up))
    assert len(said) == services.QUICK_DEATHS
    assert said[-1].startswith("it ended with exit code 3, the 5th time in a row; given up; its log is ")
    kept.tick()
    assert len(said) == services.QUICK_DEATHS


def test_deaths_far_apart_are_no_row(keep: Keep, said: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "QUICK_S", 0.0)
    monkeypatch.setattr(services, "QUICK_DEATHS", 2)
    monkeypatch.setattr(services, "LONGEST_WAIT_S", 0.0)
    kept = keep("import time; time.sleep(0.5)")
    kept.start()
    wait_until(ticked(kept, lambda: len(said) == 3))
    assert not kept.given_up


def test_one_that_stops_answering_is_started_again(keep: Keep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "SILENT_S", 0.3)
    monkeypatch.setattr(services, "PROBE_EVERY_S", 0.1)
    code = "import os, time, pathlib; pathlib.Path(f'alive-{os.getpid()}').touch(); time.sleep(60)"
    healthy = tmp_path / "healthy"
    kept = keep(code, healthy.exists)
    kept.start()
    wait_until(lambda: len(list(tmp_path.glob("alive-*"))) == 1)
    healthy.touch()
    wait_until(kept.is_ready)
    healthy.unlink()
    wait_until(ticked(kept, lambda: len(list(tmp_path.glob("alive-*"))) == 2))
    names = {file.name.removeprefix("alive-") for file in tmp_path.glob("alive-*")}
    assert (
        sum(subprocess.run(["ps", "-p", name], capture_output=True, check=False).returncode == 0 for name in names) == 1
    )


def test_one_that_ends_before_it_is_ready_is_named_with_its_exit_code(keep: Keep) -> None:
    kept = keep("raise SystemExit(3)", lambda: False)
    kept.start()
    with pytest.raises(RunStops, match=r"it ended with exit code 3 before it was ready; its log is .*log"):
        wait_until(kept.is_ready)


def test_one_that_is_never_ready_is_named_with_its_log(keep: Keep) -> None:
    kept = keep("import time; time.sleep(60)", lambda: False, start_limit_s=0.3)
    kept.start()
    with pytest.raises(RunStops, match=r"it was not ready after 0 s; its log is .*log"):
        wait_until(kept.is_ready)
