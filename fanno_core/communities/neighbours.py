"""The FAISS index over unit vectors, and the neighbour graph made with it.

Measured on 2 cores with 384 dimensions (`bench/neighbours.py`): exact search of 16 neighbours takes 2 s for
10,000 vectors and 53 s for 50,000; inverted lists take 10 s for 50,000 and find 99% of the same. So search is
exact up to `communities.exact_below` vectors and goes through 4 * sqrt(n) lists above, 16 of which are probed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import faiss
import numpy as np
import numpy.typing as npt

from fanno_core.store.contracts import Floats

PROBED_LISTS = 16
TRAINING_VECTORS_PER_LIST = 64


@dataclass(frozen=True)
class Index:
    """Cosine search over unit vectors."""

    _faiss: Any

    def search(self, queries: Floats, count: int) -> tuple[Floats, npt.NDArray[np.int64]]:
        """Cosines and row numbers of the nearest vectors.

        Args:
            queries: `[q, d]` unit vectors.
            count: neighbours wanted.

        Returns:
            `[q, k]` cosines, falling, and `[q, k]` row numbers, with k = min(count, vectors held); where fewer
            were found the row number is -1.
        """
        k = min(count, self._faiss.ntotal)
        if not k or not len(queries):
            return np.zeros((len(queries), k), np.float32), np.zeros((len(queries), k), np.int64)
        scores, rows = self._faiss.search(np.ascontiguousarray(queries, np.float32), k)
        return scores, rows


def build_index(vectors: Floats, exact_below: int, seed: int) -> Index:
    """An index over `[n, d]` unit vectors: exact for few, inverted lists for many."""
    count, dimensions = vectors.shape
    flat = faiss.IndexFlatIP(dimensions)
    if count <= exact_below:
        flat.add(np.ascontiguousarray(vectors, np.float32))
        return Index(flat)
    lists = min(int(4 * math.sqrt(count)), count)
    index = faiss.IndexIVFFlat(flat, dimensions, lists, faiss.METRIC_INNER_PRODUCT)
    index.cp.seed = seed
    index.nprobe = PROBED_LISTS
    sample = np.random.default_rng(seed).permutation(count)[: lists * TRAINING_VECTORS_PER_LIST]
    index.train(np.ascontiguousarray(vectors[np.sort(sample)], np.float32))
    index.add(np.ascontiguousarray(vectors, np.float32))
    return Index(index)


@dataclass(frozen=True)
class Edges:
    """Undirected weighted edges: `[m, 2]` row numbers with the smaller first, each pair once; `[m]` cosines."""

    pairs: npt.NDArray[np.int64]
    weights: Floats

    def above(self, threshold: float) -> Edges:
        """The edges with at least this cosine."""
        keep = self.weights >= threshold
        return Edges(self.pairs[keep], self.weights[keep])


def neighbour_edges(index: Index, vectors: Floats, neighbours: int, threshold: float) -> Edges:
    """Edges from each vector to its nearest neighbours at or above a cosine."""
    scores, found = index.search(vectors, neighbours + 1)
    sources = np.repeat(np.arange(len(vectors)), found.shape[1])
    targets, weights = found.ravel(), scores.ravel()
    keep = (targets >= 0) & (targets != sources) & (weights >= threshold)
    pairs = np.sort(np.stack([sources[keep], targets[keep]], axis=1), axis=1)
    unique, first = np.unique(pairs, axis=0, return_index=True) if len(pairs) else (pairs, np.zeros(0, np.int64))
    return Edges(unique.astype(np.int64), np.clip(weights[keep][first], 0, 1).astype(np.float32))
