from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanno_core.report.measures.distributions import count_edges, histogram_of, mean_of, score_of
from fanno_core.report.numbers import Histogram


def test_a_value_on_an_edge_belongs_to_the_bin_above_it_and_the_last_holds_its_end() -> None:
    assert histogram_of([0, 1, 1, 2], [0, 1, 2]) == Histogram((0.0, 1.0, 2.0), (1, 3))


def test_what_lies_outside_is_counted_at_the_ends() -> None:
    assert histogram_of([-5, 0.5, 99], [0, 1, 2]).counts == (2, 1)


def test_scores_have_bins_of_a_twentieth() -> None:
    score = score_of([0.0, 0.05, 0.1, 0.15, 0.3, 1.0])
    assert (score.rows, score.mean) == (6, pytest.approx(1.6 / 6, abs=1e-6))
    assert len(score.histogram.counts) == 20
    assert [n for n, count in enumerate(score.histogram.counts) if count] == [0, 1, 2, 3, 6, 19]


def test_scores_beyond_one_and_below_zero_get_bins_too_but_no_more_than_ten_units() -> None:
    assert score_of([-0.2, 1.4]).histogram.edges[:: len(score_of([-0.2, 1.4]).histogram.counts)] == (-1.0, 2.0)
    wild = score_of([-1e9, 0.5, 1e9]).histogram
    assert (wild.edges[0], wild.edges[-1], sum(wild.counts)) == (-5.0, 5.0, 3)


def test_the_mean_of_a_score_is_that_of_its_values_as_they_are() -> None:
    values = [0.00000051, 0.00000051, 0.00000051]
    assert score_of(values).mean == mean_of(values)
    values = [0.2500004, 0.2500004, 0.2500008]
    assert score_of(values).mean == mean_of(values) == 0.250001


def test_no_values() -> None:
    assert mean_of([]) == 0.0
    assert (score_of([]).rows, sum(score_of([]).histogram.counts)) == (0, 0)
    assert count_edges([]) == [0.0, 1.0]


@given(st.lists(st.integers(0, 5000), min_size=1, max_size=200))
def test_edges_of_counts_are_few_even_and_reach_far_enough(values: list[int]) -> None:
    edges = count_edges(values)
    histogram = histogram_of(values, edges)
    assert sum(histogram.counts) == len(values)
    assert 1 <= len(histogram.counts) <= 31
    assert {b - a for a, b in pairwise(edges)} == {edges[1]}
    assert sum(value < edges[-1] for value in values) >= 0.99 * len(values)
    whole = count_edges(values, share=1)
    assert whole[-1] > max(values) >= whole[-1] - 2 * whole[1]


def test_one_long_text_does_not_stretch_the_bins() -> None:
    assert count_edges([10] * 200 + [5000])[-1] <= 12
