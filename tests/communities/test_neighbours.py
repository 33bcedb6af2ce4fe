from __future__ import annotations

import logging
import sys

import faiss
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fanno_core.communities import neighbours
from fanno_core.communities.neighbours import GPU_MOST_PROPOSALS, SPARE, Index, build_index, neighbour_edges
from fanno_core.errors import MissingExtra
from fanno_core.store.contracts import Floats
from tests.communities.test_partition import blobs, unit

needs_gpu_build = pytest.mark.skipif(
    not hasattr(faiss, "StandardGpuResources"), reason="the installed FAISS is built without GPU support"
)
needs_gpu = pytest.mark.skipif(not faiss.get_num_gpus(), reason="FAISS finds no GPU here")


def half_precision(vectors: Floats) -> faiss.Index:
    """Proposes as a device with coarser arithmetic would."""
    index = faiss.IndexScalarQuantizer(vectors.shape[1], faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
    index.train(vectors)
    index.add(vectors)
    return index


def refusing(vectors: Floats) -> faiss.Index:
    """Refuses every search with FAISS's own error, as a GPU that is out of memory does: it was never trained."""
    return faiss.IndexPQ(vectors.shape[1], 4, 8, faiss.METRIC_INNER_PRODUCT)


@settings(deadline=None)
@given(st.integers(1, 200), st.integers(1, 40), st.booleans())
def test_found_neighbours_do_not_depend_on_how_many_queries_are_asked(batch: int, count: int, exact: bool) -> None:
    vectors, _ = blobs(200, 10, spread=0.3)
    index = build_index(vectors, 200 if exact else 0, seed=0)
    scores, rows = index.search(vectors, count)
    parts = [index.search(vectors[i : i + batch], count) for i in range(0, 200, batch)]
    np.testing.assert_array_equal(scores, np.concatenate([part[0] for part in parts]))
    np.testing.assert_array_equal(rows, np.concatenate([part[1] for part in parts]))


def test_neither_do_they_depend_on_the_arithmetic_of_the_device() -> None:
    vectors, _ = blobs(500, 20, spread=0.3)
    exact = build_index(vectors, 500, seed=0, gpu=False)
    coarse = Index(vectors, None, half_precision(vectors))
    assert (exact.device, coarse.device) == ("cpu", "gpu")
    for ours, theirs in zip(exact.search(vectors, 10), coarse.search(vectors, 10), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_equals_come_by_row_number_and_cosines_are_rounded_once() -> None:
    vectors, _ = blobs(100, 5)
    vectors[[90, 40, 7]] = vectors[20]
    scores, rows = build_index(vectors, 100, seed=0).search(vectors[20:21], SPARE)
    assert rows[0, :4].tolist() == [7, 20, 40, 90]
    expected = vectors[rows[0]].astype(np.float64) @ vectors[20].astype(np.float64)
    np.testing.assert_array_equal(scores[0], expected.astype(np.float32))


def test_where_too_few_are_found_the_rest_is_marked() -> None:
    vectors = unit(np.random.default_rng(0).standard_normal((400, 16)))
    scores, rows = build_index(vectors, exact_below=0, seed=0).search(vectors[:3], 400)
    missing = rows == -1
    assert missing.any(axis=1).all()
    assert np.isneginf(scores[missing]).all()
    assert (np.diff(missing.astype(int), axis=1) >= 0).all(), "what is missing comes last"
    assert [len(set(row[row >= 0])) for row in rows] == [(row >= 0).sum() for row in rows]


def test_a_gpu_that_fails_leaves_the_work_to_the_cpu(caplog: pytest.LogCaptureFixture) -> None:
    vectors, _ = blobs(50, 5)
    index = build_index(vectors, 50, seed=0, gpu=False)
    broken = Index(vectors, index._cpu, refusing(vectors))
    np.testing.assert_array_equal(broken.search(vectors, 5)[1], index.search(vectors, 5)[1])
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_more_neighbours_than_a_gpu_selects_are_searched_on_the_cpu(caplog: pytest.LogCaptureFixture) -> None:
    count = GPU_MOST_PROPOSALS + 100
    vectors = unit(np.random.default_rng(0).standard_normal((count, 8)))
    index = build_index(vectors, count, seed=0, gpu=False)
    rows = Index(vectors, index._cpu, refusing(vectors)).search(vectors[:2], count)[1]
    assert [sorted(row) for row in rows.tolist()] == [list(range(count))] * 2
    assert not caplog.records


@needs_gpu_build
def test_a_gpu_without_room_is_not_used(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    if faiss.get_num_gpus():
        pytest.skip("there is a GPU, with room")
    monkeypatch.setattr(neighbours, "_has_gpu", lambda: True)
    vectors, _ = blobs(50, 5)
    assert build_index(vectors, 50, seed=0).device == "cpu"
    assert [record.levelname for record in caplog.records] == ["WARNING"]


@needs_gpu
@pytest.mark.parametrize("exact_below", [0, 20_000])
def test_a_gpu_finds_what_the_cpu_finds(exact_below: int) -> None:
    vectors, _ = blobs(5000, 250, spread=0.3)
    cpu, gpu = (build_index(vectors, exact_below, seed=0, gpu=on) for on in (False, True))
    assert (cpu.device, gpu.device) == ("cpu", "gpu")
    there, here = (neighbour_edges(index, vectors, 16, 0.4) for index in (gpu, cpu))
    np.testing.assert_array_equal(there.pairs, here.pairs)
    np.testing.assert_array_equal(there.weights, here.weights)


def test_it_says_once_where_it_searches(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "fanno.neighbours")
    neighbours._has_gpu.cache_clear()
    vectors, _ = blobs(50, 5)
    devices = {build_index(vectors, 50, seed=0).device for _ in range(3)}
    assert [record.getMessage() for record in caplog.records] == [f"FAISS searches on the {devices.pop().upper()}"]


def test_without_faiss_the_message_names_the_extras(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(MissingExtra, match=r"\[cpu\].*\[gpu,models\]"):
        build_index(np.eye(4, dtype=np.float32), 10, seed=0)
