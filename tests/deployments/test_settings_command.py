from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from deployments.cli.settings import effective
from fanno_core.settings import Settings
from fanno_core.teachers.pool import POOL_VARIABLE, Pool, write_pool
from tests.deployments.words import Here

DOCS = Path(__file__).parents[2] / "docs" / "settings.md"


def listed(here: Here, *words: str | Path) -> dict[str, dict[str, Any]]:
    ended = here("settings", "--json", *words)
    assert ended.code == 0, ended.err
    return {row["name"]: row for row in json.loads(ended.out)}


def test_every_value_says_where_it_came_from(here: Here, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    # Neither of the two limits fits the other one's default: they are only right together.
    file.write_text("[screen]\nmin_words = 3000\nmax_repetition = 0.2\n[seeds]\ndocuments = 10\n")
    rows = listed(here, "--settings", file, "--set", "screen.max_words=4000", "--set", "screen.max_repetition=0.1")
    assert [*rows] == [f"{name}.{key}" for name, group in Settings() for key in type(group).model_fields]
    found = {name: (row["value"], row["came_from"]) for name, row in rows.items() if row["came_from"] != "default"}
    assert found == {
        "screen.min_words": (3000, str(file)),
        "screen.max_words": (4000, "--set"),
        "screen.max_repetition": (0.1, "--set"),
        "seeds.documents": (10, str(file)),
    }


def test_a_pool_gives_what_the_teacher_leaves_open(here: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_pool(tmp_path / "pool.json", Pool("gpu", "m", "served", "r1", "./m", 4096, ("http://127.0.0.1:8101/v1",)))
    monkeypatch.setenv(POOL_VARIABLE, str(tmp_path / "pool.json"))
    rows = listed(here, "teacher", "--set", "teacher.name=openai", "--set", "teacher.tokenizer=./other")
    assert rows["teacher.endpoints"]["came_from"] == rows["teacher.model"]["came_from"] == "pool"
    assert rows["teacher.tokenizer"]["came_from"] == rows["teacher.name"]["came_from"] == "--set"
    assert rows["teacher.dtype"]["came_from"] == "default"


def test_sections_are_listed_alone_and_a_wrong_one_is_told_the_nearest(here: Here) -> None:
    assert {name.partition(".")[0] for name in listed(here, "seeds", "run")} == {"seeds", "run"}
    ended = here("settings", "seed")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == "error: there is no section seed of settings; did you mean seeds?\n"


def test_the_table_shows_what_the_user_set(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    lines = here("settings", "seeds", "--set", "seeds.documents=77").out.splitlines()
    (line,) = [line for line in lines if "seeds.documents" in line]
    assert [cell.strip() for cell in line.split("│")[2:4]] == ["77", "--set"]


def test_the_table_keeps_every_name_and_in_a_pipe_every_line(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    piped = here("settings").out
    assert all(row.name in piped and row.meaning in piped for row in effective(None, ()))
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("COLUMNS", "80")
    shown = here("settings").out
    assert all(row.name in shown for row in effective(None, ()))
    assert "…" not in shown


def test_the_docs_show_the_settings_as_they_are() -> None:
    shown = DOCS.read_text(encoding="utf-8").partition("<!-- settings -->\n")[2].partition("<!-- /settings -->")[0]
    rows = [f"| `{row.name}` | `{row.shown}` | {row.meaning} |" for row in effective(None, ())]
    assert [line for line in shown.splitlines() if line.startswith("| `")] == rows
