from __future__ import annotations

import numpy as np
import pytest

from fanno_core.communities.neighbours import Edges, build_index, neighbour_edges
from fanno_core.communities.partition import leiden
from fanno_core.communities.refinement import quality_of, refined
from tests.communities.test_partition import blobs


@pytest.mark.parametrize("function", ["cpm", "rb"])
def test_refined_leaves_no_free_row_a_better_place_in_the_whole_graph(function: str) -> None:
    vectors, _ = blobs(120, 12, spread=0.4)
    edges = neighbour_edges(build_index(vectors, 200, 0), vectors, 8, 0.4)
    rng = np.random.default_rng(4)
    start = rng.integers(12, size=120)
    free = rng.random(120) < 0.3
    labels = refined(start, free, edges, function, 0.5, seed=1)
    assert (labels[~free] == start[~free]).all()
    assert quality_of(labels, edges, function, 0.5) > quality_of(start, edges, function, 0.5)
    best = quality_of(labels, edges, function, 0.5)
    for row in np.flatnonzero(free):
        for label in range(labels.max() + 2):
            moved = labels.copy()
            moved[row] = label
            assert quality_of(moved, edges, function, 0.5) <= best + 1e-6


def test_with_all_rows_free_and_alone_it_is_leiden() -> None:
    vectors, _ = blobs(120, 12, spread=0.3)
    edges = neighbour_edges(build_index(vectors, 200, 0), vectors, 8, 0.4)
    labels = refined(np.arange(120), np.ones(120, np.bool_), edges, "cpm", 0.3, seed=1)
    found = sorted(np.flatnonzero(labels == label).tolist() for label in np.unique(labels))
    assert found == sorted(leiden(120, edges, "cpm", 0.3, seed=1))


def test_a_group_without_an_edge_keeps_its_label_and_its_rows_that_stay() -> None:
    none = Edges(np.zeros((0, 2), np.int64), np.zeros(0, np.float32))
    start = np.array([3, 3, 5, 5])
    free = np.array([False, True, False, False])
    for function in ("cpm", "rb"):
        labels = refined(start, free, none, function, 1.0, seed=1)
        assert labels[[0, 2, 3]].tolist() == [3, 5, 5]
    assert refined(start, np.zeros(4, np.bool_), none, "cpm", 1.0, seed=1).tolist() == start.tolist()
