from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.conftest import record_of, run_here
from tests.deployments.words import Here


@pytest.fixture(scope="module")
def without_windows(finished: Path, corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same run without augmentation."""
    out = shutil.copytree(finished, tmp_path_factory.mktemp("compare") / "out")
    run_here([corpus], out, "augment.iterate=false")
    return out


def test_two_runs_stand_side_by_side(here: Here, finished: Path, without_windows: Path) -> None:
    told = json.loads(here("compare", finished, without_windows, "--json").out)
    assert told["settings"] == {"augment.iterate": [True, False]}
    one, other = record_of(finished), record_of(without_windows)
    assert told["rows"] == [one["dataset"]["rows"], other["dataset"]["rows"]]
    assert told["common"] == told["identical"] == other["dataset"]["rows"] < one["dataset"]["rows"]
    kept = {phase["name"]: phase["rows_kept"] for phase in other["phases"]}
    assert {name: pair[1] for name, pair in told["funnel"].items() if pair[1] is not None} == kept
    assert told["funnel"]["augment"][1] is None
    assert told["measures"]["rows"] == told["rows"]


def test_a_person_reads_one_line_for_each_difference(here: Here, finished: Path, without_windows: Path) -> None:
    ended = here("compare", finished, without_windows)
    (line,) = [line for line in ended.out.splitlines() if line.startswith("  augment.iterate")]
    assert line.split() == ["augment.iterate", "True", "False"]


def test_a_run_differs_in_nothing_from_itself(here: Here, finished: Path) -> None:
    told = json.loads(here("compare", finished, finished, "--json").out)
    assert told["settings"] == {}
    assert all(one == other for one, other in [*told["funnel"].values(), *told["measures"].values()])


def test_a_folder_without_a_run_is_refused_in_one_sentence(here: Here, finished: Path, tmp_path: Path) -> None:
    ended = here("compare", finished, tmp_path)
    assert ended.code == 1
    assert ended.err.startswith(f"error: {tmp_path} holds no finished run")
    assert ended.err.count("\n") == 1
