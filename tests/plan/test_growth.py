from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanno_core.plan.growth import groups_among


@given(st.lists(st.integers(1, 50), min_size=1, max_size=60), st.integers(0, 10**6))
def test_there_are_no_fewer_groups_than_were_seen_and_no_more_than_rows(sizes: list[int], more: int) -> None:
    rows = sum(sizes) + more
    assert len(sizes) - 1e-6 <= groups_among(sizes, rows) <= rows + 1e-6


@given(st.lists(st.integers(1, 50), min_size=1, max_size=60))
def test_a_sample_of_everything_has_all_groups(sizes: list[int]) -> None:
    assert groups_among(sizes, sum(sizes)) == pytest.approx(len(sizes))


def test_where_no_rows_are_near_equal_none_are_expected() -> None:
    assert groups_among([1] * 20, 500) == 500


def test_groups_of_a_population_are_found_from_two_fifths_of_it() -> None:
    rng = random.Random(1)
    population = [group for group in range(300) for _ in range(rng.choice((1, 1, 1, 2, 3, 6)))]
    rows = len(population)
    for _ in range(5):
        sizes = list(Counter(rng.sample(population, rows * 2 // 5)).values())
        in_proportion = len(sizes) / sum(sizes) * rows
        assert groups_among(sizes, rows) == pytest.approx(300, rel=0.2)
        assert abs(groups_among(sizes, rows) - 300) < abs(in_proportion - 300) / 2
