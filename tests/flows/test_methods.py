"""Other methods than FANNO's own through the whole flow, on a real Prefect server, with the extractive teacher."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from fanno_core.methods.table import GENERATORS, TRANSFORMS, generator, transform
from tasks.questions import SCREENING
from tests.conftest import SMALL, Ended, Fanno, record_of, sets
from tests.flows.test_interruptions import wait_for
from tests.shared_data import shared

# `magpie` needs a teacher with a chat template: tests/methods/test_magpie.py runs it on a tiny model.
WITHOUT_MODEL = [name for name in GENERATORS if name != "magpie"]
# Reflection with a student needs a model that scores: tests/methods/test_selective_reflect.py.
TRANSFORMING = [name for name in TRANSFORMS if name != "selective-reflect"]
FEW = ("method.rows=40", "method.lot=10")


def rows_of(out: Path) -> list[dict[str, Any]]:
    return [
        row for file in sorted((out / "dataset").glob("train-*.parquet")) for row in pq.read_table(file).to_pylist()
    ]


@pytest.fixture(scope="session")
def alpaca(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An instruction file of 60 rows."""
    rows = json.loads((finished / "dataset" / "alpaca.json").read_text(encoding="utf-8"))[:60]
    path = tmp_path_factory.mktemp("given") / "rows.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    return path


def ended_well(ended: Ended) -> None:
    assert ended.code == 0, ended.err + ended.out


def conserved(record: dict[str, Any]) -> None:
    for phase in record["phases"]:
        assert phase["candidates"] == phase["rows_kept"] + sum(phase["rejected"].values()), phase["name"]


@pytest.mark.slow
@pytest.mark.parametrize("name", WITHOUT_MODEL)
def test_a_generating_method_ends_and_a_second_run_asks_nothing(
    fanno: Fanno, corpus: Path, tmp_path: Path, name: str
) -> None:
    words = ["run", "--method", name, "--corpus", corpus, "--out", tmp_path, *sets(*SMALL, *FEW)]
    ended_well(fanno(*words))
    record = record_of(tmp_path)
    conserved(record)
    rows = rows_of(tmp_path)
    assert rows
    assert {row["method"] for row in rows} == {name}
    assert f"made with {name}" in (tmp_path / "dataset" / "README.md").read_text(encoding="utf-8")
    ended_well(fanno(*words))
    again = record_of(tmp_path)
    assert again["dataset"] == record["dataset"]
    assert sum(phase["teacher_calls"] for phase in again["phases"]) == 0
    ended_well(fanno("verify", tmp_path))
    told = fanno("explain", rows[0]["id"], "--out", tmp_path, "--json")
    ended_well(told)
    asked = json.loads(told.out)
    assert asked["instruction"]["instruction"] == rows[0]["instruction"]
    assert any(question["answer"] for question in asked["questions"])


@pytest.mark.slow
@pytest.mark.parametrize("name", TRANSFORMING)
def test_a_transforming_method_ends_and_a_second_run_asks_nothing(
    fanno: Fanno, alpaca: Path, tmp_path: Path, name: str
) -> None:
    words = ["transform", "--with", name, alpaca, "--out", tmp_path, *sets("report.make=false")]
    ended_well(fanno(*words))
    record = record_of(tmp_path)
    conserved(record)
    given = {row["id"] for row in pq.read_table(next((tmp_path / "work/shards/given").glob("*.parquet"))).to_pylist()}
    made = [row for row in rows_of(tmp_path) if row["method"] == name]
    assert made
    assert {parent for row in made for parent in row["made_from"]} & given
    ended_well(fanno(*words))
    assert record_of(tmp_path)["dataset"] == record["dataset"]
    assert sum(phase["teacher_calls"] for phase in record_of(tmp_path)["phases"]) == 0
    ended_well(fanno("explain", made[0]["id"], "--out", tmp_path))


EVERYTHING_PASSES = (
    "screen.min_quality=0",
    "screen.max_advertisement=1",
    "screen.max_privacy=1",
    "teacher.min_choice_mass=0",
    "responses.max_tokens=40",
    "seeds.max_tokens=40",
    "augment.limit=1",
    "seeds.documents=1",
    "seeds.per_document=4",
)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*GENERATORS, *TRANSFORMS])
def test_a_method_ends_on_a_tiny_model_which_writes_nonsense(
    fanno: Fanno, alpaca: Path, corpus: Path, tmp_path: Path, name: str
) -> None:
    model = shared("tiny_models/llama_tiny")
    teacher = ("teacher.name=transformers", f"teacher.model={model}", *EVERYTHING_PASSES, "report.make=false")
    few = tmp_path / "few.json"
    few.write_text(json.dumps(json.loads(alpaca.read_text(encoding="utf-8"))[:6]), encoding="utf-8")
    of_documents = ["--corpus", str(corpus), *sets("method.budget=20")]  # which would all be asked about
    begin = of_documents if name in {"oss-instruct", "backtranslation"} else ["--given", str(few)]
    student = ["--option", f"model={model}"] if name == "selective-reflect" else []
    short = ["--option", "max_tokens=40"] if "max_tokens" in options_named(name) else []
    words = ["run", "--method", name, *(begin if name != "magpie" else []), *student, *short]
    ended = fanno(*words, "--out", tmp_path / "out", *sets(*teacher, "method.rows=4", "method.lot=3"))
    if name == "magpie":  # tests/methods/test_magpie.py gives the model a template
        assert "has no chat template" in ended.err
        return
    record = record_of(tmp_path / "out")
    conserved(record)
    phase = next(phase for phase in record["phases"] if phase["name"] == name)
    assert phase["candidates"] or phase["rows_in"]
    if ended.code:
        assert f"nothing is left after phase {name}" in ended.err
        assert phase["rejected"] or not phase["candidates"]
    else:
        assert phase["rows_kept"]


def options_named(name: str) -> set[str]:
    entry = generator(name) if name in GENERATORS else transform(name)
    return set(entry.options.model_fields)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fanno", *WITHOUT_MODEL])
def test_a_budget_of_questions_is_kept(fanno: Fanno, corpus: Path, tmp_path: Path, name: str) -> None:
    budget = sets("method.budget=150", "method.lot=10", "report.make=false")
    ended_well(fanno("run", "--method", name, "--corpus", corpus, "--out", tmp_path, *budget))
    asked = sum(phase["teacher_calls"] for phase in record_of(tmp_path)["phases"] if phase["name"] not in SCREENING)
    assert 75 < asked <= 150
    assert rows_of(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["alpaca", "backtranslation"])
def test_a_killed_method_goes_on_to_the_same_bytes(fanno: Fanno, corpus: Path, tmp_path: Path, name: str) -> None:
    def words(out: Path) -> list[str]:
        return ["run", "--method", name, "--corpus", str(corpus), "--out", str(out), *sets(*SMALL, *FEW)]

    ended_well(fanno(*words(tmp_path / "whole")))
    killed = tmp_path / "killed"
    process = subprocess.Popen(
        [sys.executable, "-m", "deployments", *words(killed)],
        env=fanno.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    wait_for(killed / "work" / "ledger" / name, process)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (killed / "dataset" / "manifest.json").exists()
    ended_well(fanno(*words(killed)))
    assert record_of(killed)["dataset"] == record_of(tmp_path / "whole")["dataset"]


def test_rows_of_a_file_are_chosen_in_order_and_the_others_keep_their_reason(
    fanno: Fanno, alpaca: Path, tmp_path: Path
) -> None:
    chosen = ["--by", "length", "--keep", "50%", "--by", "diverse", "--keep", "10"]
    ended_well(fanno("select", *chosen, alpaca, "--out", tmp_path, *sets("report.make=false")))
    record = record_of(tmp_path)
    conserved(record)
    phases = {phase["name"]: phase for phase in record["phases"]}
    assert [phases[name]["rows_kept"] for name in ("given", "length-select", "diverse-select")] == [60, 30, 10]
    rows = rows_of(tmp_path)
    assert len(rows) == 10
    given = {row["instruction"]: row for row in json.loads(alpaca.read_text(encoding="utf-8"))}
    assert all(row["output"] == given[row["instruction"]]["output"] for row in rows)
    rejected = pq.read_table(tmp_path / "rejected" / "rejected.parquet").to_pylist()
    assert {row["phase"] for row in rejected} == {"length-select", "diverse-select"}
    assert len(rejected) == 50
    told = fanno("explain", rejected[0]["id"], "--out", tmp_path)
    ended_well(told)
    assert rejected[0]["phase"] in told.out


def test_a_selection_inside_the_flow_leaves_what_came_before_it_as_it_was(
    fanno: Fanno, corpus: Path, finished: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    shutil.copytree(finished, out)
    record = fanno.run(corpus, out, 'select.by=["length"]', 'select.keep=["10%"]')
    before = record_of(finished)
    phases = {phase["name"]: phase for phase in record["phases"]}
    assert all(
        phase["tasks"] == phase["tasks_cached"] for name, phase in phases.items() if name in {"seeds", "responses"}
    )
    assert phases["length-select"]["rows_kept"] == before["dataset"]["rows"] // 10 == record["dataset"]["rows"]
    assert "chosen by length" in (out / "dataset" / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["run", "--method", "nonsense", "--corpus", "."], "no method nonsense"),
        (["run", "--method", "alpaca", "--option", "nonsense=1", "--corpus", "."], "alpaca has no option nonsense"),
        (["run", "--method", "oss-instruct", "--given", "x.json", "--corpus", "."], "oss-instruct begins with no rows"),
        (["run", "--method", "alpaca"], "nothing to begin with"),
        (["transform", "--with", "fanno", "x.json"], "flow `fanno`"),
        (["transform", "--with", "mosaic", "no-such-file.json"], "no-such-file.json: it is not there"),
        (["select", "x.json"], "nothing to select by"),
        (["select", "--by", "nonsense", "x.json"], "no selector nonsense"),
        (["select", "--by", "length", "--keep", "some", "x.json"], "--keep some"),
        (["select", "--by", "length", "--by", "diverse", "--option", "field=output", "x.json"], "length.field=output"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(fanno: Fanno, tmp_path: Path, words: list[str], says: str) -> None:
    ended = fanno(*words, "--out", tmp_path / "out")
    assert ended.code == 1
    assert says in ended.err
    assert "Traceback" not in ended.err
    assert ended.err.count("error:") == 1
