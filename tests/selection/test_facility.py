"""Facility location against submodlib's, and against the textbook's greedy search over all pairs."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fanno_core.selection import facility
from fanno_core.selection.facility import facility_location
from fanno_core.store.contracts import Floats
from tests.shared_data import shared


def unit(values: np.ndarray) -> Floats:
    return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)


def one_by_one(vectors: Floats, most: int) -> list[int]:
    """The greedy search as the textbook has it: every row is measured at every step."""
    exact = np.rint(vectors.astype(np.float64) * 2**22) / 2**22
    squares = (exact * exact).sum(axis=1)
    apart = np.maximum(squares[:, None] + squares - 2 * exact @ exact.T, 0)
    similar = np.exp(-np.sqrt(apart) / vectors.shape[1])
    taken: list[int] = []
    nearest = np.zeros(len(vectors))
    while len(taken) < min(most, len(vectors)):
        gains = np.maximum(similar - nearest, 0).sum(axis=1).round(9)
        gains[taken] = -1
        taken.append(int(np.argmax(gains)))
        nearest = np.maximum(nearest, similar[taken[-1]])
    return taken


def test_it_chooses_what_submodlib_chooses() -> None:
    vectors = np.load(shared("golden/clustering_alpaca800_embeddings_f32.npy"))[:500]
    expected = json.loads(shared("golden/clustering_alpaca800_expected.json").read_text(encoding="utf-8"))
    wanted = expected["facility_location_first500_budget50"]
    found = facility_location(vectors, 50)
    assert [place for place, _ in found] == [place for place, _ in wanted]
    assert [gain for _, gain in found] == pytest.approx([gain for _, gain in wanted], rel=1e-4)


@pytest.mark.parametrize("block", [1, 7, 64, 512])
@pytest.mark.parametrize("spread", [0.0, 0.05, 1.0])
def test_it_chooses_what_the_textbook_chooses(block: int, spread: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facility, "BLOCK", block)
    draw = np.random.default_rng(7)
    centres = draw.normal(size=(15, 24))
    vectors = unit(centres[draw.integers(0, 15, 120)] + spread * draw.normal(size=(120, 24)))
    assert [place for place, _ in facility_location(vectors, 120)] == one_by_one(vectors, 120)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 40), st.integers(0, 50), st.integers(0, 99))
def test_it_chooses_each_row_once_and_no_more_than_asked(count: int, most: int, seed: int) -> None:
    # Few directions, so that many rows are equal.
    vectors = unit(np.random.default_rng(seed).integers(-1, 2, size=(count, 3)) + 0.1)
    found = [place for place, _ in facility_location(vectors, most)]
    assert found == one_by_one(vectors, most)
    assert len(found) == len({*found}) == min(count, most)


def test_gains_only_shrink() -> None:
    vectors = unit(np.random.default_rng(2).normal(size=(150, 16)))
    gains = [gain for _, gain in facility_location(vectors, 150)]
    assert gains == sorted(gains, reverse=True)


def test_what_is_chosen_does_not_hang_on_the_order_of_a_sum() -> None:
    vectors = unit(np.random.default_rng(3).normal(size=(300, 96)))
    shuffled = np.ascontiguousarray(vectors[:, np.random.default_rng(4).permutation(96)])
    assert facility_location(vectors, 60) == facility_location(shuffled, 60)


@pytest.mark.slow
def test_ten_thousand_rows_need_no_table_of_all_pairs() -> None:
    import resource

    draw = np.random.default_rng(5)
    vectors = unit(
        unit(draw.normal(size=(600, 384)))[draw.integers(0, 600, 10_000)] + 0.03 * draw.normal(size=(10_000, 384))
    )
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert len({place for place, _ in facility_location(vectors, 200)}) == 200
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before  # kB
    assert grown < 10_000 * 10_000 * 8 / 1024 / 2
