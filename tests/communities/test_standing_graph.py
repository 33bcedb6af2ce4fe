from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fanno_core.communities.neighbours import build_index, neighbour_edges
from fanno_core.communities.standing_graph import BEYOND, OVERGROWN, update_neighbours
from fanno_core.refresh.contracts import Neighbours
from fanno_core.settings import Communities
from fanno_core.store.contracts import Floats
from fanno_core.store.tables import to_parquet, to_table
from tests.communities.nights import NO_NEIGHBOURS, Night, random_change
from tests.communities.test_partition import blobs, unit

ALL = -1.0


def edges_of_all(vectors: Floats, neighbours: int) -> set[tuple[int, int]]:
    """The edges of the graph by every cosine there is, best first, equals by row."""
    cosines = np.einsum("id,jd->ij", vectors, vectors, dtype=np.float64).astype(np.float32)
    np.fill_diagonal(cosines, -np.inf)
    nearest = np.argsort(-cosines, axis=1, kind="stable")[:, : min(neighbours, len(vectors) - 1)]
    return {(min(i, j), max(i, j)) for i, row in enumerate(nearest.tolist()) for j in row}


def edges_that_stand(night: Night) -> set[tuple[int, int]]:
    assert night.graph is not None
    return {(int(i), int(j)) for i, j in night.graph.edges(ALL).pairs}


def test_after_ten_nights_the_edges_are_those_of_a_rebuild() -> None:
    vectors, _ = blobs(400, 25, spread=0.4)
    night = Night.built(vectors, 300, Communities())
    for number in range(10):
        night.pass_with(*random_change(night, 15, number), shuffle=number)
    rebuilt = neighbour_edges(build_index(night.stack(), 1000, 0), night.stack(), 16, 0.4)
    assert night.graph is not None
    carried = night.graph.edges(0.4)
    np.testing.assert_array_equal(carried.pairs, rebuilt.pairs)
    np.testing.assert_allclose(carried.weights, rebuilt.weights, rtol=1e-6)
    assert edges_that_stand(night) == edges_of_all(night.stack(), 16)


def test_built_with_inverted_lists_the_recall_stays_that_of_a_rebuild() -> None:
    vectors, _ = blobs(1300, 75, spread=0.5)
    night = Night.built(vectors, 1000, Communities(exact_below=350))
    for number in range(10):
        night.pass_with(*random_change(night, 20, number), shuffle=number)
    rebuilt = neighbour_edges(build_index(night.stack(), 350, night.seed), night.stack(), 16, ALL)
    true = edges_of_all(night.stack(), 16)
    recall = len(edges_that_stand(night) & true) / len(true)
    assert recall >= 0.99 * len({(int(i), int(j)) for i, j in rebuilt.pairs} & true) / len(true)
    assert recall < 1


def test_a_night_writes_the_rows_of_new_documents_and_hardly_another() -> None:
    vectors, _ = blobs(700, 40, spread=0.4)
    night = Night.built(vectors, 500, Communities())
    new, gone = random_change(night, 20, 0)
    night.pass_with(new, gone)
    assert night.graph is not None
    assert {row.id for row in night.graph.changed} == set(new)


def test_a_row_that_ran_short_is_searched_again_and_not_before() -> None:
    vectors, _ = blobs(200, 1, spread=0.4)
    night = Night.built(vectors, 200, Communities(neighbours=4))
    one = night.ids[0]
    nearest = night.near[one].near[: 4 + BEYOND]
    night.pass_with([], nearest[:BEYOND])
    assert night.near[one].near[: 4 + BEYOND] == nearest
    assert edges_that_stand(night) == edges_of_all(night.stack(), 4)
    night.pass_with([], nearest[BEYOND : BEYOND + 1])
    assert not set(night.near[one].near) & set(nearest[: BEYOND + 1])
    assert edges_that_stand(night) == edges_of_all(night.stack(), 4)


def test_a_row_does_not_grow_for_ever() -> None:
    middle = unit(np.ones((1, 16)))
    crowd = unit(middle + 0.01 * np.random.default_rng(1).standard_normal((300, 16)))
    far = unit(np.random.default_rng(2).standard_normal((40, 16)))
    night = Night.built(np.concatenate([far, middle, crowd]), 41, Communities(neighbours=2))
    for number in range(10):
        night.pass_with(night.waiting[:30], [], shuffle=number)
        assert edges_that_stand(night) == edges_of_all(night.stack(), 2)
    assert max(len(row.near) for row in night.near.values()) < 300 / 2
    assert night.graph is not None
    assert len(night.graph.near.sources) < OVERGROWN * (2 + BEYOND) * len(night.ids)


def test_ids_that_come_back_find_their_old_neighbours() -> None:
    vectors, _ = blobs(300, 20, spread=0.4)
    night = Night.built(vectors, 300, Communities())
    some = night.ids[::7]
    night.pass_with([], some)
    night.pass_with(some, [])
    assert edges_that_stand(night) == edges_of_all(night.stack(), 16)


@pytest.mark.parametrize("standing", [0, 1, 2])
def test_few_documents_or_none(standing: int) -> None:
    vectors, _ = blobs(3, 1)
    graph = update_neighbours(["a", "b", "c"][:standing], vectors[:standing], NO_NEIGHBOURS, Communities(), 1)
    old = to_table(graph.changed, Neighbours)
    after = update_neighbours(["a", "b", "c"], vectors, old, Communities(), 1)
    assert after.edges(ALL).pairs.tolist() == [[0, 1], [0, 2], [1, 2]]
    assert update_neighbours([], vectors[:0], old, Communities(), 1).changed == []


def test_order_of_inputs_changes_no_byte() -> None:
    vectors, _ = blobs(400, 20, spread=0.4)
    once, again = (Night.built(vectors, 300, Communities()) for _ in range(2))
    change = random_change(once, 20, 0)
    once.pass_with(*change, shuffle=1)
    again.pass_with(*change, shuffle=2)
    written = [to_parquet(list(night.near.values()), Neighbours) for night in (once, again)]
    assert written[0] == written[1]


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.sets(st.integers(0, 39)), st.sets(st.integers(0, 39))), max_size=5), st.integers(1, 6))
def test_any_nights_end_in_the_edges_of_all(nights: list[tuple[set[int], set[int]]], neighbours: int) -> None:
    vectors = unit(np.random.default_rng(3).standard_normal((40, 4)))
    vectors[5:8] = vectors[4]
    night = Night.built(vectors, 12, Communities(neighbours=neighbours))
    pool = sorted(night.pool)
    for new, gone in nights:
        leaving = {pool[i] for i in gone} & set(night.ids)
        night.pass_with(sorted({pool[i] for i in new} - set(night.ids) - leaving), sorted(leaving))
        if night.ids:
            assert edges_that_stand(night) == edges_of_all(night.stack(), neighbours)
