"""Superfiltering's selections against its published rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanno_core.errors import BadSettings
from fanno_core.selection.contract import Keep
from fanno_core.selection.facility import facility_location
from fanno_core.selection.superfilter import DiverseOptions, SuperfilterOptions, choose, choose_diverse, score
from tests.selection.rows import alpaca_rows, letters, reasons_of, row_of, scores_of, tools_with
from tests.shared_data import shared_rows

NAN = float("nan")
TINY = SuperfilterOptions(model="gpt2_tiny")


async def test_scores_are_those_of_the_published_code() -> None:
    golden = shared_rows("golden/ifd_reference_64.jsonl")
    rows = [row_of(row["instruction"], row["output"], row["input"]) for row in golden]
    wanted = [row["superfiltering_gpt2_tiny"]["ifd_ppl"] for row in golden]
    found = await score(rows, tools_with(), TINY)
    assert [s.reason for s in found] == ["" if value is not None else "nothing_to_score" for value in wanted]
    there = [(s.score, value) for s, value in zip(found, wanted, strict=True) if value is not None]
    assert [one for one, _ in there] == pytest.approx([value for _, value in there], rel=1e-4)
    assert {s.by for s in found} == {"ifd_by_perplexity"}


@given(st.lists(st.one_of(st.sampled_from([0.5, 1.0, NAN]), st.floats(0, 2)), max_size=60), st.integers(1, 100))
def test_a_share_is_chosen_as_by_the_published_code(values: list[float], percent: int) -> None:
    rows = [row_of(f"Say {place}.", "x") for place in range(len(values))]
    found = choose(rows, scores_of(values), Keep(share=percent / 100), tools_with(), TINY)
    below = [place for place, value in enumerate(values) if value < 1.0]
    wanted = sorted(below, key=lambda place: values[place], reverse=True)[: int(len(values) * percent / 100)]
    assert list(found.places) == wanted
    assert sorted([*found.places, *found.others]) == [*range(len(values))]


def test_a_ratio_of_one_goes() -> None:
    rows = [row_of(f"Say {place}.", "x") for place in range(4)]
    found = choose(rows, scores_of([0.4, 1.0, 0.999999, NAN]), Keep(rows=1), tools_with(), TINY)
    assert found.places == [2]
    assert reasons_of(found) == {0: "not_selected", 1: "above_bound", 3: "nothing_to_score"}


def test_facility_location_chooses_among_the_highest() -> None:
    rows = alpaca_rows(100)
    values = [((7 * place) % 100) / 101 for place in range(100)]
    found = choose_diverse(rows, scores_of(values), Keep(share=0.05), tools_with(), DiverseOptions())
    highest = sorted(range(100), key=lambda place: -values[place])[:20]
    texts = [f"{rows[place].instruction}\n{rows[place].input}\n{rows[place].output}" for place in highest]
    assert list(found.places) == [highest[place] for place, _ in facility_location(letters(texts), 5)]
    assert sorted([*found.places, *found.others]) == [*range(100)]
    passed = [place for place, (_, detail) in found.others.items() if detail == "passed the score"]
    assert {*passed, *found.places} == {*highest}


def test_nothing_to_choose_from_is_no_error() -> None:
    rows = alpaca_rows(4)
    assert choose_diverse(rows, scores_of([2.0] * 4), Keep(rows=2), tools_with(), DiverseOptions()).places == []


def test_a_smallest_score_is_refused_where_rows_are_compared() -> None:
    with pytest.raises(BadSettings, match=r"select.keep >=0.5: superfilter-d keeps a share such as 10%"):
        choose_diverse(alpaca_rows(4), scores_of([0.5] * 4), Keep(at_least=0.5), tools_with(), DiverseOptions())
