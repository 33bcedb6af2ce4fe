from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from fanno_core.store.ledger import Entry
from tasks.telling import PhaseOver, Progress, log
from tests.conftest import run_here


def test_each_task_adds_its_rows_and_cached_ones_are_no_work() -> None:
    so_far = Progress("seeds", 3)
    assert str(so_far) == "seeds: 0 of 3 tasks, 0 of 0 candidates kept"
    entry = Entry("seeds", "k", 2, 5, (), (), {})
    after = so_far.after(entry, reused=False).after(entry, reused=True)
    assert (after.done, after.most, after.candidates, after.kept, after.fresh) == (2, 3, 10, 0, 5)


class Listener(logging.Handler):
    """Keeps what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: dict[str, list[Progress]] = {}
        self.over: dict[str, PhaseOver] = {}

    def emit(self, record: logging.LogRecord) -> None:
        match record.msg:
            case Progress() as progress:
                self.steps.setdefault(progress.phase, []).append(progress)
            case PhaseOver() as over:
                self.over[over.record.name] = over


@pytest.fixture
def told() -> Iterator[Listener]:
    # Not caplog: when a flow runs first in a process, Prefect takes the handlers off the root logger.
    listener, before = Listener(), log.level
    log.setLevel(logging.DEBUG)
    log.addHandler(listener)
    yield listener
    log.removeHandler(listener)
    log.setLevel(before)


def check_that_it_ends_where_the_record_does(told: Listener, phases: list[str]) -> None:
    assert [*told.steps] == [*told.over] == phases
    for name, progress in told.steps.items():
        record, last = told.over[name].record, progress[-1]
        assert [step.done for step in progress] == [*range(record.tasks + 1)]
        assert (last.candidates, last.kept) == (record.candidates, record.rows_kept)
        assert record.tasks <= last.most
        assert (last.fresh == 0) == (record.tasks_cached == record.tasks)


def test_a_run_tells_of_every_task_of_every_phase(told: Listener, finished: Path, corpus: Path) -> None:
    record = run_here([corpus], finished)
    check_that_it_ends_where_the_record_does(told, [phase["name"] for phase in record["phases"]])


@pytest.mark.slow
@pytest.mark.parametrize("runner", ["dask", "ray"])
def test_so_does_a_run_on_a_cluster(told: Listener, finished: Path, corpus: Path, tmp_path: Path, runner: str) -> None:
    journal = f"run.journal={finished}/work/journal.sqlite"
    record = run_here([corpus], tmp_path / "out", f"run.runner={runner}", journal)
    check_that_it_ends_where_the_record_does(told, [phase["name"] for phase in record["phases"]])
