from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deployments.pool import guard
from tests.processes import marked, wait_until

# A command that starts a process which leaves the session and does not listen to SIGTERM.
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
PARENT = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {STUBBORN!r}], start_new_session=True)"


@pytest.fixture
def mark(tmp_path: Path) -> Iterator[str]:
    """What the processes of a test have in their environment."""
    yield str(tmp_path)
    for pid in marked(str(tmp_path)):
        os.kill(pid, signal.SIGKILL)


def guarded(mark: str, code: str, grace_s: float = 0.6) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-P", guard.__file__, str(grace_s), sys.executable, "-c", code]
    return subprocess.Popen(command, stdin=subprocess.PIPE, env={**os.environ, "MARK": mark}, start_new_session=True)


def test_the_exit_code_of_the_command_is_passed_on(mark: str) -> None:
    assert guarded(mark, "raise SystemExit(3)").wait(10) == 3
    assert guarded(mark, "import os; os.kill(os.getpid(), 9)").wait(10) == 128 + 9


def test_what_a_dead_command_started_ends_with_it(mark: str) -> None:
    assert guarded(mark, PARENT).wait(10) == 0
    assert marked(mark) == []


@pytest.mark.parametrize("how", ["end of file", "SIGTERM"])
def test_a_stop_ends_what_has_left_the_session_and_ignores_sigterm(mark: str, how: str) -> None:
    process = guarded(mark, PARENT + "\nimport time; time.sleep(60)")
    wait_until(lambda: len(marked(mark)) == 3)
    if how == "SIGTERM":
        process.terminate()
    elif process.stdin:
        process.stdin.close()
    assert process.wait(10) == 0
    assert marked(mark) == []


def test_the_command_hears_last_so_that_it_can_tell_how_the_others_ended(mark: str, tmp_path: Path) -> None:
    told = tmp_path / "told"
    child = f"[{sys.executable!r}, '-c', 'import time; time.sleep(60)']"
    code = (
        f"import pathlib, subprocess; pathlib.Path({str(told)!r}).write_text(str(subprocess.run({child}).returncode))"
    )
    process = guarded(mark, code, grace_s=3)
    wait_until(lambda: len(marked(mark)) == 3)
    begin = time.monotonic()
    process.terminate()
    assert process.wait(10) == 0
    assert told.read_text() == str(-signal.SIGTERM)
    assert time.monotonic() - begin < 2  # nobody had to be waited for
