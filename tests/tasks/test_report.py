"""The report as the last task of a run: made once for the same work, and no run fails for it."""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
from pathlib import Path
from typing import Any

import pytest
from prefect.client.schemas.objects import State

from deployments.server import prefect_api
from fanno_core.dataset.made import open_made
from fanno_core.errors import ShardDamaged
from fanno_core.store.durable import sha256_of
from tasks.report import STAMP, report_task
from tests.conftest import run_here

PAGE = "report/index.html"


@pytest.fixture
def out(finished: Path, tmp_path: Path) -> Path:
    """A copy of a finished run, with the report of another data set."""
    out = Path(shutil.copytree(finished, tmp_path / "out"))
    for name in (PAGE, "report/report.json", "report/figures/gone.png"):
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text('{"digest": "another"}', encoding="utf-8")
    record = json.loads((out / "run.json").read_text(encoding="utf-8"))
    record["settings"]["report"]["make"] = True
    (out / "run.json").write_text(json.dumps(record), encoding="utf-8")
    return out


def make(out: Path, key: str) -> State[Any]:
    """The final state of the task, outside of any flow."""
    with prefect_api():
        state: State[Any] = asyncio.run(report_task(str(out), key, 3, return_state=True))  # type: ignore[arg-type]
    return state


def digests(out: Path) -> dict[str, str]:
    files = [file for file in (out / "report").rglob("*") if file.is_file()]
    return {file.relative_to(out).as_posix(): sha256_of(file.read_bytes()) for file in files}


def test_a_report_that_cannot_be_made_fails_its_task_and_none_is_left(out: Path) -> None:
    damaged = next((out / "dataset").glob("train-*"))
    damaged.write_bytes(damaged.read_bytes()[:-1])
    state = make(out, "a")
    assert state.is_failed()
    assert isinstance(asyncio.run(state.aresult(raise_on_failure=False)), ShardDamaged)
    assert digests(out) == {}


def test_a_report_by_hand_of_this_data_set_stays(out: Path) -> None:
    by_hand = {"digest": open_made(out).record["dataset"]["digest"], "quality": {}}
    (out / "work" / STAMP).unlink(missing_ok=True)
    (out / "report" / "report.json").write_text(json.dumps(by_hand), encoding="utf-8")
    before = digests(out)
    make(out, "a")
    assert digests(out) == before


@pytest.mark.slow
def test_the_report_of_other_work_is_made_again_and_that_of_the_same_is_not(out: Path) -> None:
    assert make(out, "a").name == "Completed"
    made = digests(out)
    assert {PAGE, "report/report.json", "report/figures/topics.png"} <= made.keys()
    assert "report/figures/gone.png" not in made
    assert b'"digest": "another"' not in (out / "report" / "report.json").read_bytes()
    before = (out / PAGE).stat().st_mtime_ns
    assert make(out, "a").name == "Cached"
    assert (out / PAGE).stat().st_mtime_ns == before
    assert make(out, "b").name == "Completed"
    assert (out / PAGE).stat().st_mtime_ns > before
    assert digests(out) == made


@pytest.mark.slow
def test_a_second_run_leaves_the_report_alone(out: Path, corpus: Path) -> None:
    run_here([corpus], out, "report.make=true")
    before = (out / PAGE).stat().st_mtime_ns
    run_here([corpus], out, "report.make=true")
    assert (out / PAGE).stat().st_mtime_ns == before


@pytest.mark.slow
def test_a_report_that_cannot_be_made_fails_no_run_and_is_told(
    out: Path, corpus: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.rmtree(out / "report")
    (out / "report").write_text("a file in the way", encoding="utf-8")
    with caplog.at_level(logging.WARNING, logger="fanno"):
        record = run_here([corpus], out, "report.make=true")
    assert record["dataset"]["rows"] > 0
    (told,) = [record.getMessage() for record in caplog.records if record.name == "fanno.run"]
    assert told.startswith("no report: ")
    assert told.endswith(f"The data set is whole; `fanno report {out}` tries again")


def test_no_report_is_made_where_none_is_wanted(out: Path, corpus: Path) -> None:
    run_here([corpus], out, "report.make=false")
    assert digests(out) == {}
