from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from fanno_core.dataset.current import publish
from fanno_core.dataset.manifest import folder_of
from fanno_core.store.ownership import owned
from tests.dataset.nights import ids, night, rows
from tests.deployments.words import Here, here_with


@pytest.fixture
def here(capsys: pytest.CaptureFixture[str]) -> Here:
    return here_with(capsys)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Three versions: of 60 rows; with one changed, two retired and three added; and one that is held."""
    out = tmp_path / "out"
    night(out, rows(range(60)), measures={"acceptance": 0.5, "distinct_2": 0.25})
    new = [*rows([5], "Another answer."), *rows([60, 61, 62])]
    night(out, new, ids([7, 8]), 1, measures={"acceptance": 0.75})
    night(out, [], ids(range(50)), 2, ("48 rows of the current version are gone",))
    publish(out, 1)
    publish(out, 2)
    return out


def test_versions_are_listed_with_the_current_one_and_why_one_is_held(here: Here, out: Path) -> None:
    told = here("versions", out)
    assert told.code == 0
    lines = [line.split() for line in told.out.splitlines()]
    assert [line[:4] for line in lines[:3]] == [
        ["1", "published", "60", "rows"], ["2", "current", "61", "rows"], ["3", "held", "13", "rows"],
    ]  # fmt: skip
    assert told.out.splitlines()[3].strip() == "48 rows of the current version are gone"
    listed = json.loads(here("versions", out, "--json").out)["versions"]
    assert [(v["number"], v["parent"], v["status"], v["current"]) for v in listed] == [
        (1, 0, "published", False), (2, 1, "published", True), (3, 2, "held", False),
    ]  # fmt: skip


def test_a_run_without_versions_is_told_what_a_refresh_makes_of_it(here: Here, tmp_path: Path) -> None:
    (tmp_path / "dataset").mkdir()
    told = here("versions", tmp_path)
    assert told.code == 1
    assert f"has no versions, but a run: `fanno refresh --corpus ... --out {tmp_path}`" in told.err


def test_the_rows_that_came_went_and_changed_are_named(here: Here, out: Path) -> None:
    told = json.loads(here("diff", out, "1", "2", "--json").out)
    assert told["added"] == sorted(ids([60, 61, 62]))
    assert told["retired"] == sorted(ids([7, 8]))
    assert told["changed"] == ids([5])
    assert told["measures"] == {"rows": [60, 61], "acceptance": [0.5, 0.75], "distinct_2": [0.25, None]}
    assert told["task_types"] == {"commonsense": [60, 61]}
    back = json.loads(here("diff", out, "2", "1", "--json").out)
    assert (back["added"], back["retired"], back["changed"]) == (told["retired"], told["added"], told["changed"])


def test_a_person_reads_counts_and_measures_before_a_few_ids(here: Here, out: Path) -> None:
    text = here("diff", out, "1", "3").out
    assert text.startswith("added: 3 rows\nretired: 50 rows\nchanged: 0 rows\n\nmeasures ")
    (acceptance,) = [line for line in text.splitlines() if "acceptance" in line]
    assert acceptance.endswith("rows of the instructions that passed all filters")
    assert text.index("task types\n") < text.index("\nadded\n  ") < text.index("\nretired\n  ")
    assert text.endswith("  and 40 more, which --json names\n")
    assert sum(each in text for each in ids(range(63))) == 13


def test_readers_get_the_version_that_is_named(here: Here, out: Path) -> None:
    assert here("rollback", out, "1").out.startswith("version 1 is current: 60 rows")
    assert json.loads((out / "run.json").read_text())["dataset"]["rows"] == 60
    told = json.loads(here("rollback", out, "3", "--json").out)
    assert (told["number"], told["status"], told["current"]) == (3, "published", True)
    assert json.loads((out / "run.json").read_text())["dataset"]["rows"] == 13


def test_errors_are_one_sentence(here: Here, out: Path, tmp_path: Path) -> None:
    for words in (("versions", tmp_path), ("rollback", tmp_path, "1")):
        assert f"error: {tmp_path} has no versions: `fanno refresh" in here(*words).err
    assert "has no version 9, but these: 1, 2, 3" in here("diff", out, "1", "9").err
    with owned(out):
        ended = here("rollback", out, "1")
    assert (ended.code, json.loads((out / "run.json").read_text())["dataset"]["rows"]) == (1, 61)
    assert "another run is writing" in ended.err
    assert not (tmp_path / "work").exists()


@pytest.mark.parametrize("name", ["manifest.json", "state.json", "dataset/alpaca.json", "train", "link", "shard"])
def test_a_damaged_version_is_named_and_taken_out(here: Here, out: Path, name: str) -> None:
    assert here("verify", out).out.endswith("whole\n")
    folder = folder_of(out, 2)
    if name == "link":
        (out / "dataset").unlink()
    else:
        only_here = {*shards(out, 2)} - {*shards(out, 1)} - {*shards(out, 3)}
        path = {"train": next((folder / "dataset").glob("train-*")), "shard": out / min(only_here, default="")}.get(
            name, folder / name
        )
        path.write_bytes(path.read_bytes()[:-1] + b"x")
    told = here("verify", out)
    assert told.code == 1
    assert "fanno rollback" in told.out if name == "link" else "--repair removes the version" in told.out
    repaired = here("verify", out, "--repair")
    assert (repaired.code, f"fanno refresh --corpus ... --out {out}" in repaired.out) == (0, True)
    assert here("verify", out).out.endswith("whole\n")
    assert json.loads((out / "run.json").read_text())["dataset"]["rows"] == (61 if name == "link" else 60)
    assert folder.exists() == (name == "link")


def shards(out: Path, number: int) -> list[str]:
    tables = json.loads((folder_of(out, number) / "state.json").read_text())
    return [ref["path"] for ref in tables["bandit"]]


def test_without_a_whole_version_readers_find_nothing(here: Here, out: Path) -> None:
    for number in (1, 2, 3):
        (folder_of(out, number) / "dataset/README.md").unlink()
    assert here("verify", out, "--repair").code == 0
    assert here("verify", out).out.endswith("whole\n")
    assert not (out / "current").is_symlink()
    shutil.rmtree(out)
