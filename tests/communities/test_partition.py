from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanno_core.communities.neighbours import Edges, build_index, neighbour_edges
from fanno_core.communities.partition import fast_communities, leiden
from fanno_core.store.contracts import Floats
from tests.shared_data import shared


def unit(vectors: np.ndarray) -> Floats:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def blobs(count: int, centres: int, spread: float = 0.05) -> tuple[Floats, np.ndarray]:
    """Vectors around centres, and the centre of each."""
    rng = np.random.default_rng(7)
    middle = rng.standard_normal((centres, 32))
    which = rng.integers(centres, size=count)
    return unit(middle[which] + spread * rng.standard_normal((count, 32))), which


@pytest.mark.parametrize("threshold", [0.7, 0.8, 0.9])
@pytest.mark.parametrize("min_size", [1, 2, 10])
def test_fast_communities_equal_the_reference(threshold: float, min_size: int) -> None:
    vectors = np.load(shared("golden/clustering_alpaca800_embeddings_f32.npy"))
    expected = json.loads(shared("golden/clustering_alpaca800_expected.json").read_text())
    reference = expected["community_detection"][f"threshold={threshold},min_community_size={min_size}"]
    assert fast_communities(vectors, threshold, min_size) == reference


def test_leiden_finds_the_blobs_and_leaves_nobody_out() -> None:
    vectors, which = blobs(300, 12)
    edges = neighbour_edges(build_index(vectors, 1000, 0), vectors, 16, 0.7)
    groups = leiden(300, edges, "cpm", 0.3, seed=1)
    assert sorted(row for group in groups for row in group) == list(range(300))
    assert len(groups) == len(set(which.tolist()))
    assert all(len({int(which[row]) for row in group}) == 1 for group in groups)
    assert groups == leiden(300, edges, "cpm", 0.3, seed=1)


def test_leiden_without_edges_leaves_each_row_alone() -> None:
    none = Edges(np.zeros((0, 2), np.int64), np.zeros(0, np.float32))
    assert leiden(3, none, "rb", 1.0, seed=0) == [[0], [1], [2]]


def test_edges_are_undirected_once_each_and_above_the_threshold() -> None:
    vectors, _ = blobs(100, 5)
    edges = neighbour_edges(build_index(vectors, 1000, 0), vectors, 8, 0.8)
    assert (edges.pairs[:, 0] < edges.pairs[:, 1]).all()
    assert len({tuple(pair) for pair in edges.pairs.tolist()}) == len(edges.pairs)
    cosines = (vectors[edges.pairs[:, 0]] * vectors[edges.pairs[:, 1]]).sum(axis=1)
    np.testing.assert_allclose(cosines, edges.weights, atol=1e-5)
    assert edges.weights.min() >= 0.8
    assert edges.above(0.99).weights.min() >= 0.99


def test_inverted_lists_find_nearly_what_exact_search_finds() -> None:
    vectors, _ = blobs(3000, 150, spread=0.5)
    exact = build_index(vectors, exact_below=3000, seed=0).search(vectors, 10)[1]
    lists = build_index(vectors, exact_below=100, seed=0).search(vectors, 10)[1]
    recall = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(exact, lists, strict=True)])
    assert recall > 0.95


@given(st.integers(0, 5), st.integers(1, 9))
def test_search_never_gives_more_than_there_is(count: int, wanted: int) -> None:
    vectors = np.eye(8, dtype=np.float32)[:count]
    scores, rows = build_index(vectors, 100, 0).search(np.eye(8, dtype=np.float32), wanted)
    assert scores.shape == rows.shape == (8, min(count, wanted))
