from __future__ import annotations

import io
import logging
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from deployments.cli.progress import shown_progress
from fanno_core.dataset.record import PhaseRecord
from tasks.telling import PhaseOver, Progress
from tests.conftest import SMALL, Fanno, sets

CONTROL = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")
CURSOR_HIDDEN, CURSOR_SHOWN = "\x1b[?25l", "\x1b[?25h"
told, others = logging.getLogger("fanno.progress"), logging.getLogger("fanno.encoder")
OVER = PhaseOver(PhaseRecord("seeds", 10, 400, 100, {"x": 300}, 0, 0, 0, 0, {}, 4, 0, 2.0))


class Screen(io.StringIO):
    """What a terminal would be sent."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Screen:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return Screen()


def last_line(screen: Screen, name: str) -> str:
    lines = CONTROL.sub("", screen.getvalue()).replace("\r", "\n").splitlines()
    return " ".join([line for line in lines if line.startswith(name)][-1].split())


def test_a_bar_shows_tasks_candidates_accepted_share_rate_and_time_left(terminal: Screen) -> None:
    with shown_progress(terminal):
        told.debug(Progress("seeds", 4))
        time.sleep(0.3)
        told.debug(Progress("seeds", 4, done=2, candidates=200, kept=50, fresh=200))
    line = last_line(terminal, "seeds")
    assert re.search(r"2/4 200 25\.0% kept [\d,]+/s 0:00:0\d left", line), line


def test_the_bar_of_a_phase_that_is_over_stays_with_its_seconds(terminal: Screen) -> None:
    with shown_progress(terminal):
        told.debug(Progress("seeds", 7))  # three windows were not needed
        told.debug(Progress("seeds", 7, done=4, candidates=400, kept=100, fresh=400))
        told.info(OVER)
        told.debug(Progress("novelty", 1))
    assert re.search(r"4/4 400 25\.0% kept .* \d\.\d s$", last_line(terminal, "seeds"))
    assert "400 candidates" not in terminal.getvalue()  # the line of runs without a terminal
    assert last_line(terminal, "novelty").endswith("0/1 0 - kept - 0 s so far")


def test_a_phase_that_another_run_comes_to_begins_a_bar_of_its_own(terminal: Screen) -> None:
    with shown_progress(terminal):
        told.debug(Progress("seeds", 4, done=4, candidates=400, kept=100, fresh=400))
        told.info(OVER)
        told.debug(Progress("seeds", 9))
        told.debug(Progress("seeds", 9, done=1, candidates=10, kept=5, fresh=10))
    assert re.search(r"1/9 10 50\.0% kept .* left$", last_line(terminal, "seeds"))


def test_no_rate_is_told_of_work_that_was_there(terminal: Screen) -> None:
    with shown_progress(terminal):
        told.debug(Progress("seeds", 2))
        told.debug(Progress("seeds", 2, done=1, candidates=200, kept=50, fresh=0))
    assert "25.0% kept - " in last_line(terminal, "seeds")


def test_what_else_is_logged_stands_above_the_bars(terminal: Screen) -> None:
    with shown_progress(terminal):
        told.debug(Progress("encode", 2))
        others.info("encoder %s on [torch-cpu]", "tiny")
    assert last_line(terminal, "encoder") == "encoder tiny on [torch-cpu]"


def test_elsewhere_there_is_a_line_for_each_phase_and_no_other() -> None:
    stream = io.StringIO()
    with shown_progress(stream):
        told.debug(Progress("seeds", 4))
        told.debug(Progress("seeds", 4, done=4, candidates=400, kept=100, fresh=400))
        told.info(OVER)
        others.info("encoder %s", "tiny")
    told.info(OVER)
    line = "seeds            400 candidates     100 kept     300 rejected     2.0 s     200/s  4 tasks"
    assert stream.getvalue() == f"{line}\nencoder tiny\n"


def test_a_phase_that_was_there_already_tells_no_seconds() -> None:
    line = str(replace(OVER, record=replace(OVER.record, tasks_cached=OVER.record.tasks)))
    assert line.endswith("rejected       - s         -  4/4 cached")


def test_loggers_are_left_as_they_were(terminal: Screen) -> None:
    before = [(logger.level, [*logger.handlers]) for logger in (logging.getLogger("fanno"), told)]
    with pytest.raises(ZeroDivisionError), shown_progress(terminal):
        _ = 1 / 0
    assert [(logger.level, logger.handlers) for logger in (logging.getLogger("fanno"), told)] == before


def on_a_terminal(fanno: Fanno, *words: str | Path, until: Callable[[str], bool] = lambda _: False) -> tuple[int, str]:
    """Exit code and everything that a terminal of 100 columns was sent; interrupted once `until` is true."""
    controller, terminal = pty.openpty()
    environment = fanno.environment | {"TERM": "xterm", "COLUMNS": "100", "LINES": "40"}
    process = subprocess.Popen(
        [sys.executable, "-m", "deployments", *map(str, words)],
        env=environment,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
    )
    os.close(terminal)
    seen, end, asked = b"", time.monotonic() + 200, False
    while time.monotonic() < end:
        with suppress(OSError):  # once the other side is closed
            if select.select([controller], [], [], 0.1)[0] and (data := os.read(controller, 65536)):
                seen += data
                if not asked and until(seen.decode(errors="replace")):
                    process.send_signal(signal.SIGINT)
                    asked = True
                continue
        if process.poll() is not None:
            break
    os.close(controller)
    return process.wait(20), seen.decode()


@pytest.mark.slow
def test_a_run_on_a_terminal_shows_a_bar_a_phase_and_its_summary(fanno: Fanno, finished: Path, corpus: Path) -> None:
    code, seen = on_a_terminal(fanno, "run", "--corpus", corpus, "--out", finished, *sets(*SMALL))
    assert code == 0, seen
    plain = CONTROL.sub("", seen).replace("\r", "\n")
    for phase in ("ingest", "verdicts", "augment", "publish"):
        assert re.search(rf"^{phase} .*━.* \d+/\d+ .*% kept", plain, re.MULTILINE)
    assert "three rows" in plain
    assert seen.rindex(CURSOR_SHOWN) > seen.rindex(CURSOR_HIDDEN)


@pytest.mark.slow
def test_an_interrupted_run_gives_the_cursor_back(fanno: Fanno, corpus: Path, tmp_path: Path) -> None:
    words = ("run", "--corpus", corpus, "--out", tmp_path / "out", *sets(*SMALL))
    code, seen = on_a_terminal(fanno, *words, until=lambda text: "verdicts" in text)
    assert code == 130, seen
    assert "this goes on: fanno run" in seen
    assert seen.rindex(CURSOR_SHOWN) > seen.rindex(CURSOR_HIDDEN)
