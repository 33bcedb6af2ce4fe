from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from fanno_core.dataset.made import open_made
from tests.deployments.words import Here

NOTHING = "0" * 64


@pytest.fixture
def out(finished: Path, tmp_path: Path) -> Path:
    """A copy of a finished run, with a report that tells of another data set."""
    copy = shutil.copytree(finished, tmp_path / "out")
    (copy / "report").mkdir(exist_ok=True)
    (copy / "report/report.json").write_text(json.dumps({"digest": NOTHING}))
    return copy


@pytest.mark.slow
def test_the_report_is_made_again_held_against_other_files(here: Here, out: Path, tmp_path: Path) -> None:
    rows = open_made(out).examples()
    benchmark = tmp_path / "benchmark.jsonl"
    benchmark.write_text(json.dumps({"question": rows[0].instruction}))
    ended = here("report", out, "--json", "--against", out / "dataset/alpaca.json", "--decontaminate", benchmark)
    assert ended.code == 0, ended.err
    told = json.loads(ended.out)
    assert told["report"] == str(out / "report/index.html")
    assert all(Path(file).is_file() for file in told["files"])
    numbers = json.loads((out / "report/report.json").read_text(encoding="utf-8"))
    assert numbers["digest"] == json.loads((out / "run.json").read_text(encoding="utf-8"))["dataset"]["digest"]
    own, other = numbers["measures"]
    assert other["name"] == "alpaca.json"
    assert {**own, "name": ""} == {**other, "name": ""}
    (overlap,) = numbers["quality"]["contamination"]
    assert overlap["name"] == "benchmark.jsonl"
    assert rows[0].id in overlap["rows"]


@pytest.mark.parametrize("option", ["--against", "--decontaminate"])
def test_a_file_that_is_not_there_is_named_and_the_report_stays(here: Here, out: Path, option: str) -> None:
    ended = here("report", out, option, "absent.json")
    assert ended.code == 1
    (sentence,) = [line for line in ended.err.splitlines() if line.startswith("error: ")]
    assert "absent.json" in sentence
    assert json.loads((out / "report/report.json").read_text(encoding="utf-8"))["digest"] == NOTHING
