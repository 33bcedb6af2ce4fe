from __future__ import annotations

import re
from pathlib import Path

import pytest

from deployments.cli.settings import describe
from fanno_core.settings import Settings
from tests.conftest import SMALL, Fanno, record_of, sets

SETTINGS = Path(__file__).parents[2] / "docs" / "settings.md"


@pytest.mark.parametrize("command", [[], ["run"], ["settings"], ["server"], ["server", "start"], ["worker"], ["plan"]])
def test_every_command_has_help(fanno: Fanno, command: list[str]) -> None:
    ended = fanno(*command, "--help", COLUMNS="200")
    assert ended.code == 0
    assert "Usage: fanno" in ended.out
    assert not command or command == ["server"] or "Example:" in ended.out


def test_settings_are_listed_with_what_the_user_set(fanno: Fanno) -> None:
    ended = fanno("settings", "--set", "seeds.documents=77", COLUMNS="200")
    assert re.search(r"seeds\.documents\s*│\s*77", ended.out)


def test_the_docs_show_the_settings_as_they_are() -> None:
    shown = SETTINGS.read_text(encoding="utf-8").partition("<!-- settings -->\n")[2].partition("<!-- /settings -->")[0]
    rows = [f"| `{name}` | `{value}` | {meaning} |" for name, value, meaning in describe(Settings())]
    assert [line for line in shown.splitlines() if line.startswith("| `")] == rows


def test_a_run_tells_its_phases_its_funnel_three_rows_and_its_paths(fanno: Fanno, finished: Path, corpus: Path) -> None:
    ended = fanno("run", "--corpus", corpus, "--out", finished, *sets(*SMALL))
    lines = ended.out.splitlines()
    for phase in record_of(finished)["phases"]:
        assert sum(line.startswith(phase["name"]) for line in lines) == 1
        assert sum(line.startswith(f"  {phase['name']} ") for line in lines) == 1
    assert sum(line.startswith("    instruction") for line in lines) == 3
    paths = [line.strip() for line in lines if line.startswith(f"  {finished}")]
    assert len(paths) == 4
    assert all(Path(path).exists() for path in paths)
    assert "preview, not training data" in ended.out
