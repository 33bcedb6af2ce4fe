from __future__ import annotations

import numpy as np
import pytest

from fanno_core.report.measures.diversity import (
    distinct_ngrams,
    drawn_rows,
    near_duplicates,
    nearest_cosines,
    self_rouge,
    vendi_score,
)


def test_distinct_ngrams_do_not_reach_into_the_next_text() -> None:
    assert distinct_ngrams(["A b a b", "a B"]) == {"1": pytest.approx(2 / 6, abs=1e-6), "2": 0.5, "3": 1.0, "4": 1.0}
    assert distinct_ngrams(["one", ""]) == {"1": 1.0, "2": 0.0, "3": 0.0, "4": 0.0}


@pytest.mark.parametrize(
    ("vectors", "score"),
    [(np.eye(5), 5.0), (np.tile(np.eye(5)[:1], (7, 1)), 1.0), (np.repeat(np.eye(3), 4, axis=0), 3.0)],
)
def test_vendi_score_counts_what_is_different(
    vectors: np.ndarray[tuple[int, int], np.dtype[np.float64]], score: float
) -> None:
    assert vendi_score(vectors.astype(np.float32)) == pytest.approx(score, abs=1e-5)


def test_vendi_score_with_more_dimensions_than_rows() -> None:
    vectors = np.array([[1, 0, 0, 0], [0.6, 0.8, 0, 0]], np.float32)
    shares = np.array([1.6, 0.4]) / 2
    assert vendi_score(vectors) == pytest.approx(np.exp(-(shares * np.log(shares)).sum()), abs=1e-5)


def test_the_nearest_is_another_one_even_among_many_doubles() -> None:
    vectors = np.array([[1, 0], [1, 0], [1, 0], [0.6, 0.8], [0, 1]], np.float32)
    nearest = nearest_cosines(vectors, exact_below=100, seed=0)
    assert nearest == pytest.approx([1, 1, 1, 0.8, 0.8], abs=1e-6)
    assert near_duplicates(nearest, 0.8) == 5
    assert near_duplicates(nearest, 0.9) == 3
    assert nearest_cosines(vectors[:1], 100, 0).shape == (0,)


def test_a_single_text_has_nothing_to_be_like() -> None:
    assert self_rouge(["one text"], 10, seed=1) == pytest.approx([0.0])


def test_samples_depend_on_seed_and_purpose_alone() -> None:
    assert drawn_rows(5, 10, 1, "a") == [0, 1, 2, 3, 4]
    first = drawn_rows(100, 10, 1, "a")
    assert first == drawn_rows(100, 10, 1, "a") == sorted(set(first))
    assert len(first) == 10
    assert len({tuple(first), tuple(drawn_rows(100, 10, 2, "a")), tuple(drawn_rows(100, 10, 1, "b"))}) == 3
