"""What every selector of the table keeps to."""

from __future__ import annotations

import math
from typing import Any

import pytest

from fanno_core.errors import BadSettings
from fanno_core.selection.contract import Keep, Score, keep_of
from fanno_core.selection.table import SELECTORS, selector
from fanno_core.tools import Options, options_of
from tests.selection.rows import alpaca_rows, row_of, tools_with

MODELS = {"ifd": "llama_tiny", "pre-experience": "llama_tiny", "superfilter": "gpt2_tiny", "superfilter-d": "gpt2_tiny"}


def options_for(name: str) -> Options:
    found: Options = options_of(selector(name).options, name, {"model": MODELS[name]} if name in MODELS else {})
    return found


async def scored(name: str, rows: list[Any]) -> list[Score]:
    how = selector(name)
    return await how.score(rows, tools_with(), options_for(name)) if how.score else []


@pytest.mark.parametrize("name", SELECTORS)
async def test_every_row_is_chosen_or_left_out_with_a_reason(name: str) -> None:
    rows = sorted([*alpaca_rows(40), row_of("Say nothing.", ""), row_of("A", "b")], key=lambda row: row.id)
    how, scores = selector(name), await scored(name, rows)
    assert how.name == name
    assert [score.id for score in scores] == ([row.id for row in rows] if how.score else [])
    assert all(math.isnan(score.score) == bool(score.reason) for score in scores)
    keep = how.keep if how.keep.startswith(">") else "50%"
    found = how.choose(rows, scores, keep_of(keep), tools_with(), options_for(name))
    assert len(found.places) > (-1 if name == "pre-experience" else 0)
    assert sorted([*found.places, *found.others]) == [*range(len(rows))]
    assert all(reason and "\n" not in detail for reason, detail in found.others.values())
    assert found == how.choose(rows, scores, keep_of(keep), tools_with(), options_for(name))


@pytest.mark.parametrize("name", SELECTORS)
async def test_no_rows_are_no_error(name: str) -> None:
    found = selector(name).choose([], await scored(name, []), Keep(rows=3), tools_with(), options_for(name))
    assert (list(found.places), found.others) == ([], {})


@pytest.mark.parametrize("name", SELECTORS)
async def test_a_score_does_not_hang_on_the_other_rows(name: str) -> None:
    rows = alpaca_rows(12)
    together, back = await scored(name, rows), (await scored(name, rows[::-1]))[::-1]
    for one, other in zip(together, back, strict=True):
        assert (one.id, one.by, one.reason) == (other.id, other.by, other.reason)
        assert one.score == pytest.approx(other.score, rel=1e-4, nan_ok=True)


@pytest.mark.parametrize("name", SELECTORS)
def test_it_says_what_it_is_and_keeps_something_by_itself(name: str) -> None:
    how = selector(name)
    assert how.meaning and "\n" not in how.meaning
    assert keep_of(how.keep)
    for option, field in how.options.model_fields.items():
        assert field.description, option
    assert options_of(how.options, name, {})


def test_one_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(BadSettings, match="no selector best; there are: ifd, "):
        selector("best")
