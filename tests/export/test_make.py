"""What an export of a real run holds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from fanno_core.dataset.made import Made, open_made
from fanno_core.errors import RunStops, ShardDamaged
from fanno_core.export.formats import FORMATS
from fanno_core.export.make import EMBEDDED, Wanted, make_export, most_diverse
from fanno_core.store.contracts import Vector

SPLIT = {"train": 0.8, "validation": 0.2}


@pytest.fixture(scope="module")
def made(finished: Path) -> Made:
    return open_made(finished)


def ids(export: object) -> list[str]:
    return [row.id for rows in export.splits.values() for row in rows]  # type: ignore[attr-defined]


@pytest.mark.parametrize("form", FORMATS)
def test_all_rows_are_there_once_in_every_format_and_twice_the_same(form: str, made: Made) -> None:
    wanted = Wanted(form, shares=SPLIT)
    export = make_export(made, wanted)
    assert sorted(ids(export)) == [row.id for row in made.examples()]
    assert make_export(made, wanted).files == export.files
    assert "README.md" in export.files
    assert export.told["rows"] == export.told["of"] == len(made.examples())


def test_the_most_diverse_rows_lie_farther_apart_than_the_first_ones(made: Made) -> None:
    rows = made.examples()
    tables = [made.extra(phase, "vectors", contract=Vector) for phase in EMBEDDED]  # noqa: S610 - no Django here
    vectors = {row.id: row.vector for table in tables for row in table}

    def nearest(chosen: list[str]) -> float:
        matrix = np.stack([vectors[name] for name in chosen])
        return float((matrix @ matrix.T - 2 * np.eye(len(chosen))).max())

    count = len(rows) // 4
    chosen = ids(make_export(made, Wanted("alpaca", max_rows=count)))
    assert len(chosen) == count
    assert nearest(chosen) < nearest([row.id for row in rows[:count]])


def test_rows_are_filtered_before_they_are_thinned_out(made: Made) -> None:
    export = make_export(made, Wanted("alpaca", condition="iteration = 0", max_rows=5))
    kept = {row.id for row in made.examples() if row.iteration == 0}
    assert len(ids(export)) == 5
    assert {*ids(export)} <= kept


def test_more_rows_than_there_are_means_all_of_them_in_their_order(made: Made) -> None:
    assert ids(make_export(made, Wanted("alpaca", max_rows=10**6))) == [row.id for row in made.examples()]


def test_a_row_without_a_vector_is_named(made: Made) -> None:
    with pytest.raises(ShardDamaged, match="no vector of row unknown"):
        most_diverse(made, [replace(made.examples()[0], id="unknown")], 1)


def test_splits_do_not_go_into_one_file(made: Made) -> None:
    with pytest.raises(RunStops, match=r"2 splits do not go into the one file bees\.json"):
        make_export(made, Wanted("alpaca", shares=SPLIT), "bees.json")


def test_an_unknown_format_is_answered_with_those_that_there_are(made: Made) -> None:
    with pytest.raises(RunStops, match="no format 'csv'; --format is one of alpaca, sharegpt"):
        make_export(made, Wanted("csv"))


def test_the_card_names_what_was_chosen_and_how_to_make_it_again(made: Made) -> None:
    condition = "output_tokens < 9999 AND form != '```'"
    wanted = Wanted("messages", condition=condition, max_rows=40, shares=SPLIT, seed=7, system="Be kind.")
    export = make_export(made, wanted)
    card = export.files["README.md"].decode()
    front = yaml.safe_load(card.split("---\n")[1])
    assert front["configs"][0]["data_files"] == [
        {"split": "train", "path": "train.jsonl"},
        {"split": "validation", "path": "validation.jsonl"},
    ]
    assert f"40 of the run's {len(made.examples()):,} rows." in card
    for split, rows in export.splits.items():
        assert f"| {split} | {len(rows)} | {SPLIT[split]:.2%} |" in card
    assert "\n````sh\nfanno run --corpus DOCUMENTS --out OUT --set screen.min_quality=0.3 " in card
    assert "\nfanno export OUT --format messages --to FOLDER --filter 'output_tokens < 9999" in card
    assert " --max-rows 40 --split train=0.8,validation=0.2 --seed 7 --system 'Be kind.'\n````\n" in card
    assert export.told["command"] in card


def test_the_card_names_the_run_as_the_runs_own_card_does(made: Made, finished: Path) -> None:
    ours = make_export(made, Wanted("parquet")).files["README.md"].decode()
    published = (finished / "dataset" / "README.md").read_text(encoding="utf-8")
    for line in published.splitlines():
        if line.startswith(("Teacher `", "| screen", "| rules", "| novelty", "Data set digest")):
            assert line in ours.splitlines()
    assert "Data set digest" in published
    assert str(finished) not in ours
