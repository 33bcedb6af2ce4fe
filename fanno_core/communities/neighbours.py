"""The FAISS index over unit vectors, and the neighbour graph made with it.

Search is exact up to `communities.exact_below` vectors and goes through 4 * sqrt(n) inverted lists above, 16 of
which are probed; `bench/README.md` has what each takes and finds. Where FAISS finds a GPU it searches there.

FAISS only proposes. Its sums differ in their last bits between CPU and GPU, and on one device with the number of
queries, so the cosines of what it proposes are computed anew and ties broken by row number. What comes back then
depends on neither, unless more than `SPARE` others, or the list that is probed last, lie within a rounding error.
"""

from __future__ import annotations

import logging
import math
import threading
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from fanno_core.errors import MissingExtra
from fanno_core.extras import how_to_install
from fanno_core.store.contracts import Floats

PROBED_LISTS = 16
TRAINING_VECTORS_PER_LIST = 64
# Proposals beyond the neighbours that are wanted.
SPARE = 8
# FAISS selects no more than this on a GPU; larger searches stay on the CPU.
GPU_MOST_PROPOSALS = 2048
# FAISS would reserve 1.5 GiB of scratch memory an index, on a GPU that vLLM may have filled.
GPU_SCRATCH_BYTES = 128 * 2**20
# Components gathered at once when cosines are computed anew: 4 MiB, which stays in the processor's cache.
GATHERED = 2**20

Rows = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

log = logging.getLogger("fanno.neighbours")


@dataclass(frozen=True)
class Index:
    """Cosine search over unit vectors, `[n, d]`."""

    vectors: Floats
    _cpu: Any
    _gpu: Any = None

    @property
    def device(self) -> str:
        """Where it searches: `gpu` or `cpu`."""
        return "cpu" if self._gpu is None else "gpu"

    def search(self, queries: Floats, count: int) -> tuple[Floats, Rows]:
        """Cosines and row numbers of the nearest vectors.

        Args:
            queries: `[q, d]` unit vectors.
            count: neighbours wanted.

        Returns:
            `[q, k]` cosines, falling, and `[q, k]` row numbers, rising among equals, with k = min(count, vectors
            held); where fewer were found the row number is -1 and the cosine minus infinity.
        """
        k = min(count, len(self.vectors))
        if not k or not len(queries):
            return np.zeros((len(queries), k), np.float32), np.zeros((len(queries), k), np.int64)
        queries = np.ascontiguousarray(queries, np.float32)
        return self._rank(queries, self._propose(queries, min(k + SPARE, len(self.vectors))), k)

    def _propose(self, queries: Floats, count: int) -> Rows:
        if self._gpu is not None and count <= GPU_MOST_PROPOSALS:
            try:
                with _gpu_turn:
                    rows: Rows = self._gpu.search(queries, count)[1]
            except RuntimeError as error:
                log.warning("FAISS cannot search on the GPU and does so on the CPU: %s", error)
            else:
                return rows
        return np.asarray(self._cpu.search(queries, count)[1])

    def _rank(self, queries: Floats, proposed: Rows, k: int) -> tuple[Floats, Rows]:
        """The k best of the proposed rows: sums in float64, so that rounding to float32 hides their order."""
        scores, rows = np.empty((len(queries), k), np.float32), np.empty((len(queries), k), np.int64)
        step = max(1, GATHERED // (proposed.shape[1] * self.vectors.shape[1]))
        for start in range(0, len(queries), step):
            block = slice(start, start + step)
            found = proposed[block]
            cosines = np.einsum("qkd,qd->qk", self.vectors[found], queries[block], dtype=np.float64)
            cosines = np.where(found < 0, -np.inf, cosines).astype(np.float32)
            best = np.lexsort((found, -cosines), axis=-1)[:, :k]
            scores[block], rows[block] = np.take_along_axis(cosines, best, 1), np.take_along_axis(found, best, 1)
        return scores, rows


def build_index(vectors: Floats, exact_below: int, seed: int, gpu: bool = True) -> Index:
    """An index over `[n, d]` unit vectors: exact for few, inverted lists for many.

    Args:
        vectors: what is searched.
        exact_below: up to this many vectors search is exact.
        seed: of the lists' centres. They are trained on the CPU on every machine, so that all have the same lists.
        gpu: False keeps to the CPU where there is a GPU.

    Raises:
        MissingExtra: FAISS is not installed.
    """
    faiss = _faiss()
    vectors = np.ascontiguousarray(vectors, np.float32)
    count, dimensions = vectors.shape
    index = faiss.IndexFlatIP(dimensions)
    if count > exact_below:
        lists = min(int(4 * math.sqrt(count)), count)
        index = faiss.IndexIVFFlat(index, dimensions, lists, faiss.METRIC_INNER_PRODUCT)
        index.cp.seed = seed
        index.nprobe = PROBED_LISTS
        sample = np.random.default_rng(seed).permutation(count)[: lists * TRAINING_VECTORS_PER_LIST]
        index.train(vectors[np.sort(sample)])
    index.add(vectors)
    return Index(vectors, index, _gpu_copy(index) if gpu and count and _has_gpu() else None)


def _faiss() -> Any:
    try:
        import faiss
    except ImportError:
        raise MissingExtra(
            f"neighbour search needs FAISS: {how_to_install('cpu')}; with CUDA {how_to_install('gpu')}"
        ) from None
    return faiss


@cache
def _has_gpu() -> bool:
    found = bool(_faiss().get_num_gpus())
    log.info("FAISS searches on the %s", "GPU" if found else "CPU")
    return found


# FAISS on a GPU serves one caller at a time, searches included.
_gpu_turn = threading.Lock()


def _gpu_copy(index: Any) -> Any:
    """The index on the first visible GPU; None where that has no room for it."""
    faiss = _faiss()
    try:
        with _gpu_turn:
            # Its own for each index, since threads must not share them; without FAISS's large default buffers.
            resources = faiss.StandardGpuResources()
            resources.setPinnedMemory(0)
            resources.setTempMemory(GPU_SCRATCH_BYTES)
            return faiss.index_cpu_to_gpu(resources, 0, index)
    except RuntimeError as error:
        log.warning("FAISS cannot use the GPU and searches on the CPU: %s", error)
        return None


@dataclass(frozen=True)
class Edges:
    """Undirected weighted edges: `[m, 2]` row numbers with the smaller first, each pair once; `[m]` cosines."""

    pairs: Rows
    weights: Floats

    def above(self, threshold: float) -> Edges:
        """The edges with at least this cosine."""
        return self.where(self.weights >= threshold)

    def where(self, keep: Mask) -> Edges:
        """Some of the edges."""
        return Edges(self.pairs[keep], self.weights[keep])


def neighbour_edges(index: Index, vectors: Floats, neighbours: int, threshold: float) -> Edges:
    """Edges from each vector to its nearest neighbours at or above a cosine."""
    scores, found = index.search(vectors, neighbours + 1)
    sources = np.repeat(np.arange(len(vectors)), found.shape[1])
    targets, weights = found.ravel(), scores.ravel()
    keep = (targets >= 0) & (targets != sources) & (weights >= threshold)
    return undirected(sources[keep], targets[keep], weights[keep], len(index.vectors))


def undirected(sources: Rows, targets: Rows, cosines: Floats, count: int) -> Edges:
    """Edges between `count` rows from pairs that may stand twice or either way round; `[m]` each."""
    keys, first = np.unique(np.minimum(sources, targets) * count + np.maximum(sources, targets), return_index=True)
    pairs = np.stack([keys // max(count, 1), keys % max(count, 1)], axis=1)
    return Edges(pairs, np.clip(cosines[first], 0, 1).astype(np.float32))
