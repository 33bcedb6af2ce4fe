"""`fanno refresh` as a person and a script read it; what it does is in tests/flows/test_refresh.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from deployments.cli import refresh
from deployments.cli.refresh import lines
from tests.deployments.words import Here

PUBLISHED = {
    "status": "published",
    "version": 4,
    "documents": {"added": 12, "changed": 3, "withdrawn": 1, "same": 1984},
    "rows": {"now": 5020, "added": 31, "retired": 8, "answered anew": 2},
    "calls": 1204,
    "tokens": 88000,
    "waiting": {},
    "drift": 0.02,
    "rebuild": False,
    "reasons": [],
    "path": "data/versions/000004",
    "took_over": 0,
    "report": False,
}
HELD = {**PUBLISHED, "status": "held", "report": True, "reasons": ["too few rows", "too many duplicates"]}
UNCHANGED = {**PUBLISHED, "status": "unchanged", "calls": 0}


def test_a_published_version_is_told_with_what_changed_and_what_it_cost() -> None:
    assert lines(PUBLISHED, "data") == [
        "",
        "documents: 12 added, 3 changed, 1 withdrawn, 1,984 same",
        "rows: 5,020 (31 added, 8 retired, 2 answered anew)",
        "1,204 teacher calls, 88,000 tokens",
        "version 4 is published",
        "  data/versions/000004",
        "  without a report; to make it: fanno report data",
    ]
    assert lines({**PUBLISHED, "report": True}, "data")[-1] == "  report: data/versions/000004/report/index.html"


def test_a_run_that_was_taken_over_is_told() -> None:
    assert lines({**PUBLISHED, "took_over": 1}, "data")[1] == "the finished run that lay in data is version 1 now"


def test_a_held_version_is_told_with_its_reasons_and_how_to_publish_it() -> None:
    assert lines(HELD, "data")[-5:] == [
        "version 4 is held back:",
        "  too few rows",
        "  too many duplicates",
        "  report: data/versions/000004/report/index.html",
        "  to publish it all the same: fanno rollback data 4",
    ]


def test_a_night_without_changes_is_one_line() -> None:
    assert lines(UNCHANGED, "data") == ["", "nothing has changed: version 4 stays, 5,020 rows"]


def test_what_the_budget_leaves_is_counted_and_drift_asks_for_a_rebuild() -> None:
    told = lines({**PUBLISHED, "waiting": {"response": 1200, "turn": 7}, "drift": 0.31, "rebuild": True}, "data")
    assert "left for the next night by the budget: 1,200 response, 7 turn" in told
    assert "communities have drifted by 31%: --rebuild makes them anew" in told


@pytest.mark.parametrize(("told", "code"), [(PUBLISHED, 0), (UNCHANGED, 0), (HELD, 2)])
@pytest.mark.parametrize("as_json", [True, False])
def test_the_exit_code_says_whether_the_version_is_held(
    here: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: dict[str, Any], code: int, as_json: bool
) -> None:
    asked: list[Any] = []

    def run_flow(*arguments: Any) -> dict[str, Any]:
        asked.extend(arguments)
        return told

    monkeypatch.setattr(refresh, "run_flow", run_flow)
    words = ("--corpus", tmp_path, "--out", tmp_path / "out", "--set", "refresh.max_calls=9", "--rebuild")
    ended = here("refresh", *words, *["--json"] * as_json)
    assert ended.code == code
    assert ended.out == (json.dumps(told) if as_json else "\n".join(lines(told, str(tmp_path / "out")))) + "\n"
    name, to_stderr, corpus, out, settings, rebuild, open_teachers_only = asked
    assert (name, to_stderr, corpus, out) == (
        "flows.refresh:fanno_refresh", as_json, [str(tmp_path)], str(tmp_path / "out"),
    )  # fmt: skip
    assert (settings.refresh.max_calls, rebuild, open_teachers_only) == (9, True, False)


def test_a_wrong_setting_is_one_sentence_before_anything_starts(here: Here, tmp_path: Path) -> None:
    ended = here("refresh", "--corpus", tmp_path, "--out", tmp_path / "out", "--set", "refresh.max_call=9")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("error: ")
    assert "refresh.max_call" in ended.err
    assert not (tmp_path / "out").exists()
