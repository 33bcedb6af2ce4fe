from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from deployments.cli.summary import print_summary, summary
from fanno_core.dataset.publish import publish_dataset
from fanno_core.methods.contract import Origin
from fanno_core.methods.rows import made_row
from fanno_core.settings import Publish
from fanno_core.store.contracts import Example
from tests.dataset.nights import PROVENANCE

TEACHER = "extractive/rules@1"
COUNTS = {"tasks": 1, "tasks_cached": 0, "teacher_calls": 0, "prompt_tokens": 0, "cached_tokens": 0}


def rows_by(method: str, count: int = 4, teacher: str = "") -> list[Example]:
    origin = Origin(method, lot=1, teacher=teacher)
    return [replace(made_row(origin, f"Explain bee {n}.", "", "It dances."), source="in.json") for n in range(count)]


def told_of(
    out: Path, rows: list[Example], capsys: pytest.CaptureFixture[str], first: str = "given", *, in_shard: int = 100
) -> str:
    """What the end of a run over these rows prints."""
    phase = {"name": first, "candidates": 4, "rows_kept": 4, "rejected": {}, "completion_tokens": 0, **COUNTS}
    publish_dataset(rows, out, Publish(shard_rows=in_shard), replace(PROVENANCE, teacher=TEACHER))
    dataset = {"rows": len(rows), "digest": "0" * 64}
    (out / "run.json").write_text(json.dumps({"dataset": dataset, "teacher": TEACHER, "phases": [phase]}))
    print_summary(summary(out))
    return capsys.readouterr().out


@pytest.mark.parametrize(("method", "kind"), [("file", "as given"), ("mosaic", "mosaic"), ("ruler", "ruler")])
def test_rows_that_nobody_was_asked_for_are_no_preview(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], method: str, kind: str
) -> None:
    told = told_of(tmp_path, rows_by(method), capsys)
    assert "preview" not in told
    assert "augmented" not in told
    assert told.count(f"  {kind}, from in.json") == 3


def test_one_row_of_the_teacher_in_the_last_file_makes_it_a_preview(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mixed = [replace(row, id=f"{n:032x}") for n, row in enumerate([*rows_by("file"), *rows_by("reflect", 1, TEACHER)])]
    assert "these rows are a preview" in told_of(tmp_path, mixed, capsys, in_shard=1)


def test_rows_made_of_seeds_that_the_teacher_wrote_are_a_preview(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "these rows are a preview" in told_of(tmp_path, rows_by("mosaic"), capsys, "seeds")


def test_a_row_of_fanno_tells_its_task_type_or_its_iteration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seed, *augmented = rows_by("fanno", 4, TEACHER)
    told = told_of(tmp_path, [replace(seed, task_type="mathematics", iteration=0), *augmented], capsys)
    assert told.count("  mathematics, from in.json") == 1
    assert told.count("  augmented, iteration 1, from in.json") == 2
