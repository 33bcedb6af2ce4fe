from __future__ import annotations

import numpy as np
import pytest

from fanno_core.report.measures.topics import flattened
from fanno_core.store.contracts import Floats


def clustered(count: int, seed: int = 0) -> tuple[Floats, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Unit vectors around eight centres, and the centre of each."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 8, count)
    vectors = rng.normal(size=(8, 64))[labels] + 0.3 * rng.normal(size=(count, 64))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), labels


def test_what_is_near_lies_near() -> None:
    vectors, labels = clustered(240)
    places = flattened(vectors, seed=1)
    apart = np.linalg.norm(places[:, None] - places[None, :], axis=2)
    np.fill_diagonal(apart, np.inf)
    assert (labels[apart.argmin(axis=1)] == labels).mean() > 0.95


def test_the_same_seed_gives_the_same_map() -> None:
    vectors, _ = clustered(150)
    assert np.array_equal(flattened(vectors, 1), flattened(vectors, 1))


@pytest.mark.parametrize("count", [0, 1, 2, 3, 119])
def test_few_rows_are_laid_out_by_principal_components(count: int) -> None:
    vectors, _ = clustered(count)
    places = flattened(vectors, 1)
    assert places.shape == (count, 2)
    centred = vectors - vectors.mean(axis=0) if count else vectors
    if count > 2:
        assert np.var(places, axis=0).sum() == pytest.approx(
            np.sort(np.linalg.svd(centred)[1])[-2:] @ np.sort(np.linalg.svd(centred)[1])[-2:] / count, rel=1e-4
        )


@pytest.mark.parametrize("count", [2, 130])
def test_rows_that_are_all_the_same_lie_in_one_place(count: int) -> None:
    vectors = np.tile(clustered(1)[0], (count, 1))
    assert not flattened(vectors, 1).any()


def test_fewer_dimensions_than_components() -> None:
    vectors, _ = clustered(130)
    narrow = vectors[:, :3] / np.linalg.norm(vectors[:, :3], axis=1, keepdims=True)
    assert np.isfinite(flattened(narrow, 1)).all()
