"""What a comparison gives to each method's run."""

from __future__ import annotations

from pathlib import Path

from fanno_core.settings import Method, Run, Settings
from tasks.comparison import Planned, planned

GIVEN = ("rows.jsonl",)


def plan(out: Path, *methods: str, given: tuple[str, ...] = ()) -> dict[str, Planned]:
    settings = Settings(method=Method(given=given, budget=70))
    options = {"oss-instruct": {"max_lines": 9}} if "oss-instruct" in methods else {}
    return {run.method: run for run in planned(methods, ["documents"], str(out), settings, options, [])}


def test_each_method_has_its_folder_and_all_have_one_budget_and_journal(tmp_path: Path) -> None:
    runs = plan(tmp_path, "fanno", "mosaic")
    assert [run.out for run in runs.values()] == [str(tmp_path / "fanno"), str(tmp_path / "mosaic")]
    assert [run.settings.method.name for run in runs.values()] == ["fanno", "mosaic"]
    assert {run.settings.method.budget for run in runs.values()} == {70}
    assert {run.settings.run.journal for run in runs.values()} == {str((tmp_path / "answers.sqlite").resolve())}


def test_rows_go_to_those_that_begin_with_rows_and_documents_to_those_that_read_them(tmp_path: Path) -> None:
    runs = plan(tmp_path, "fanno", "oss-instruct", "mosaic", "self-instruct", given=GIVEN)
    assert {name: run.settings.method.given for name, run in runs.items()} == {
        "fanno": (), "oss-instruct": (), "mosaic": GIVEN, "self-instruct": GIVEN,
    }  # fmt: skip
    assert {name: run.corpus for name, run in runs.items()} == {
        "fanno": ["documents"], "oss-instruct": ["documents"], "mosaic": [], "self-instruct": [],
    }  # fmt: skip
    assert all(run.corpus for run in plan(tmp_path, "fanno", "mosaic", "self-instruct").values())


def test_a_journal_that_is_named_is_kept(tmp_path: Path) -> None:
    settings = Settings(run=Run(journal=str(tmp_path / "mine.sqlite")))
    for run in planned(["fanno", "mosaic"], ["documents"], str(tmp_path / "out"), settings, {}, []):
        assert run.settings.run.journal == str((tmp_path / "mine.sqlite").resolve())


def test_options_reach_their_method_alone(tmp_path: Path) -> None:
    runs = plan(tmp_path, "oss-instruct", "mosaic")
    assert [run.settings.method.options for run in runs.values()] == [{"max_lines": 9}, {}]
