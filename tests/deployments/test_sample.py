from __future__ import annotations

import json
from pathlib import Path

from fanno_core.dataset.made import open_made
from tests.deployments.words import Here


def test_rows_are_shown_with_their_ids_and_a_hint(here: Here, finished: Path) -> None:
    ended = here("sample", "--out", finished, "--n", "4")
    assert (ended.code, ended.err) == (0, "")
    shown = [row for row in open_made(finished).examples() if row.id in ended.out]
    assert len(shown) == 4
    assert all(f"document {row.document_id}, " in ended.out for row in shown)
    assert f"fanno explain {ended.out.split()[0]} --out {finished}" in ended.out
    assert "\x1b" not in ended.out


def test_rejected_rows_are_shown_with_their_reasons(here: Here, finished: Path) -> None:
    told = json.loads(here("sample", "--out", finished, "--rejected", "--n", "3", "--json").out)
    assert len(told) == 3
    assert all(row["reason"] and not row["kept"] for row in told)
    assert here("sample", "--out", finished, "--reason", "low_quality", "--n", "1").out.count("low_quality") == 1


def test_the_same_seed_shows_the_same_rows(here: Here, finished: Path) -> None:
    first, second, other = (here("sample", "--out", finished, "--seed", seed).out for seed in ("1", "1", "2"))
    assert first == second != other


def test_options_that_contradict_each_other_are_refused(here: Here, finished: Path) -> None:
    ended = here("sample", "--out", finished, "--task-type", "mathematics", "--rejected")
    assert ended.code == 1
    assert ended.err.startswith("error: --task-type tells kept rows apart")


def test_a_folder_without_a_run_is_one_sentence(here: Here, tmp_path: Path) -> None:
    ended = here("sample", "--out", tmp_path)
    assert ended.code == 1
    assert "holds no finished run" in ended.err
