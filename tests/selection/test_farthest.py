from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fanno_core.selection import farthest
from fanno_core.selection.farthest import STEPS, farthest_first
from fanno_core.store.contracts import Floats


def unit(values: np.ndarray) -> Floats:
    return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)


def one_by_one(vectors: Floats, most: int) -> list[int]:
    """The traversal as the textbook has it, over the rounded vectors: every row is measured after every step."""
    exact = np.rint(vectors * STEPS) / STEPS
    mean = np.rint(exact.sum(0) * STEPS / len(exact)) / STEPS
    taken = [int(np.argmax(exact @ mean))]
    distance = np.full(len(exact), np.inf)
    while len(taken) < min(most, len(exact)):
        distance = np.minimum(distance, np.maximum(1 - exact @ exact[taken[-1]], 0))
        distance[taken] = -1
        taken.append(int(np.argmax(distance)))
    return taken


@pytest.mark.parametrize("block", [1, 7, 64, 2048])
@pytest.mark.parametrize("spread", [0.0, 0.05, 1.0])
def test_it_takes_what_the_textbook_takes(block: int, spread: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(farthest, "BLOCK", block)
    monkeypatch.setattr(farthest, "PAGE", 4)
    draw = np.random.default_rng(7)
    centres = draw.normal(size=(20, 32))
    vectors = unit(centres[draw.integers(0, 20, 300)] + spread * draw.normal(size=(300, 32)))
    assert farthest_first(vectors, 300).tolist() == one_by_one(vectors, 300)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(0, 50), st.integers(0, 99))
def test_it_takes_each_row_once_and_no_more_than_asked(count: int, most: int, seed: int) -> None:
    # Few directions, so that many rows are equal.
    vectors = unit(np.random.default_rng(seed).integers(-1, 2, size=(count, 3)) + 0.1)
    taken = farthest_first(vectors, most).tolist()
    assert len(taken) == len({*taken}) == min(count, most)
    assert taken == one_by_one(vectors, most)[:most]


def test_a_few_rows_cover_every_cluster() -> None:
    draw = np.random.default_rng(1)
    cluster = np.sort(np.r_[np.zeros(480, int), draw.integers(1, 12, 120)])
    vectors = unit(draw.normal(size=(12, 64))[cluster] + 0.02 * draw.normal(size=(600, 64)))
    assert {*cluster[farthest_first(vectors, 12)]} == {*range(12)}


def test_the_larger_choice_begins_with_the_smaller() -> None:
    vectors = unit(np.random.default_rng(2).normal(size=(200, 16)))
    assert farthest_first(vectors, 150).tolist()[:40] == farthest_first(vectors, 40).tolist()


def test_nothing_is_taken_from_nothing() -> None:
    assert farthest_first(np.zeros((0, 8), np.float32), 5).tolist() == []


def test_what_is_taken_does_not_hang_on_the_order_of_a_sum() -> None:
    vectors = unit(np.random.default_rng(3).normal(size=(400, 384)))
    shuffled = np.ascontiguousarray(vectors[:, np.random.default_rng(4).permutation(384)])
    assert farthest_first(vectors, 400).tolist() == farthest_first(shuffled, 400).tolist()


@pytest.mark.slow
def test_fifty_thousand_vectors_take_less_than_measuring_all_of_them_each_time() -> None:
    import time

    draw = np.random.default_rng(5)
    vectors = unit(
        unit(draw.normal(size=(3000, 384)))[draw.integers(0, 3000, 50_000)] + 0.03 * draw.normal(size=(50_000, 384))
    )
    start = time.perf_counter()
    for place in range(50):
        vectors @ vectors[place]
    every_time = (time.perf_counter() - start) / 50 * 5_000
    start = time.perf_counter()
    assert len({*farthest_first(vectors, 5_000).tolist()}) == 5_000
    assert time.perf_counter() - start < every_time
