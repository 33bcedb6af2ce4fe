"""Different rows, by either method."""

from __future__ import annotations

import pytest

from fanno_core.errors import BadSettings
from fanno_core.selection.contract import Keep
from fanno_core.selection.diverse import DiverseOptions, choose
from fanno_core.selection.facility import facility_location
from fanno_core.selection.farthest import farthest_first
from tests.selection.rows import alpaca_rows, letters, row_of, tools_with


@pytest.mark.parametrize("method", ["facility", "k-center"])
def test_rows_come_in_the_order_of_choosing(method: str) -> None:
    rows = alpaca_rows(80)
    found = choose(rows, [], Keep(share=0.25), tools_with(), DiverseOptions(method=method))
    vectors = letters([f"{row.instruction}\n{row.input}" if row.input else row.instruction for row in rows])
    taken = [place for place, _ in facility_location(vectors, 20)]
    wanted = taken if method == "facility" else farthest_first(vectors, 20).tolist()
    assert list(found.places) == wanted
    assert sorted([*found.places, *found.others]) == [*range(80)]
    fewer = choose(rows, [], Keep(rows=5), tools_with(), DiverseOptions(method=method))
    assert list(fewer.places) == wanted[:5]


def test_the_response_counts_where_it_is_asked_for() -> None:
    rows = [row_of("Say it.", output) for output in ("aaa", "aab", "zzz")]
    found = choose(rows, [], Keep(rows=2), tools_with(), DiverseOptions(field="both", method="k-center"))
    assert 2 in found.places


@pytest.mark.parametrize("method", ["facility", "k-center"])
def test_nothing_is_chosen_from_nothing(method: str) -> None:
    assert choose([], [], Keep(rows=5), tools_with(), DiverseOptions(method=method)).places == []


def test_a_smallest_score_is_refused() -> None:
    with pytest.raises(BadSettings, match="diverse keeps a share"):
        choose(alpaca_rows(3), [], Keep(at_least=1), tools_with(), DiverseOptions())
