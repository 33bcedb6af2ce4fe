from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fanno_core.dataset.gates import Measures, held_back, measures
from fanno_core.settings import Settings, make_settings
from fanno_core.store.contracts import Example, Floats
from tests.dataset.test_publish import examples

GOOD = Measures(100, 200, 0.5, 0.1, 0.7, 12.0, 40.0)


def limits(**values: Any) -> Settings:
    return make_settings({"refresh": values})


def unit(*angles: float) -> Floats:
    """`[n, 2]` unit vectors at these angles, in degrees."""
    turned = np.radians(angles)
    return np.stack([np.cos(turned), np.sin(turned)], axis=1).astype(np.float32)


def asked(*questions: tuple[str, str]) -> list[Example]:
    rows = examples(len(questions))
    return [
        replace(row, instruction=text, input=given, output="one two three")
        for row, (text, given) in zip(rows, questions, strict=True)
    ]


def test_a_version_in_numbers() -> None:
    rows = asked(("Name a bee.", ""), ("Name a bee.", "or two"), ("Count them all now.", ""))
    # 25 degrees apart is a cosine of 0.906, 30 degrees one of 0.866.
    found = measures(rows, 6, unit(0, 25, 55), Settings())
    assert (found.rows, found.instructions, found.acceptance) == (3, 6, 0.5)
    assert found.near_duplicates == pytest.approx(2 / 3, abs=1e-6)
    # name a, a bee | name a, a bee, bee or, or two | count them, them all, all now
    assert found.distinct_2 == pytest.approx(7 / 9, abs=1e-6)
    assert (found.instruction_words, found.output_words) == (4.0, 3.0)


def test_the_threshold_is_that_of_the_filter_of_novelty() -> None:
    rows = asked(("Name a bee.", ""), ("Count them.", ""))
    stricter = make_settings({"filters": {"novelty": 0.95}})
    assert measures(rows, 2, unit(0, 25), Settings()).near_duplicates == 1.0
    assert measures(rows, 2, unit(0, 25), stricter).near_duplicates == 0.0


def test_nothing_has_measures_and_passes_no_limit_on_rows() -> None:
    nothing = measures([], 0, np.zeros((0, 2), np.float32), Settings())
    assert nothing == Measures(0, 0, 0.0, 0.0, 0.0, 0.0, 0.0)
    [told] = held_back(nothing, None, 0, Settings())
    assert told == "it has 0 rows, fewer than refresh.min_rows 1"


@pytest.mark.parametrize(
    ("at_limit", "beyond", "told"),
    [
        ({"min_rows": 100}, {"min_rows": 101}, "it has 100 rows, fewer than refresh.min_rows 101"),
        ({"min_acceptance": 0.5}, {"min_acceptance": 0.51}, "50.0% of its instructions became rows, less than .*51.0%"),
        ({"max_near_duplicates": 0.1}, {"max_near_duplicates": 0.09}, "10.0% of its rows are near-duplicates .*9.0%"),
        ({"min_diversity": 0.7}, {"min_diversity": 0.71}, "distinct-2 is 0.700, less than .*0.710"),
        ({"max_shrink": 0.25}, {"max_shrink": 0.24}, "20 rows of the current version are gone, 25.0% .*24.0%"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_each_limit_on_both_sides(at_limit: dict[str, Any], beyond: dict[str, Any], told: str) -> None:
    old = replace(GOOD, rows=80)
    assert held_back(GOOD, old, 20, limits(**at_limit)) == ()
    [sentence] = held_back(GOOD, old, 20, limits(**beyond))
    assert re.fullmatch(f"{told}.*", sentence)


def test_a_version_that_grows_while_it_loses_its_rows_is_held_back() -> None:
    [told] = held_back(replace(GOOD, rows=500), GOOD, 51, Settings())
    assert told.startswith("51 rows of the current version are gone, 51.0% of them")


def test_the_first_version_has_nothing_to_lose() -> None:
    assert held_back(GOOD, None, 0, limits(max_shrink=0.0)) == ()


def test_every_limit_that_fails_is_told() -> None:
    hard = limits(min_rows=10**6, min_acceptance=1.0, max_near_duplicates=0.0, min_diversity=1.0, max_shrink=0.0)
    told = held_back(GOOD, GOOD, 1, hard)
    assert [sentence.partition("refresh.")[2].partition(" ")[0] for sentence in told] == [
        "min_rows",
        "min_acceptance",
        "max_near_duplicates",
        "min_diversity",
        "max_shrink",
    ]
