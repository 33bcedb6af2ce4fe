"""Groups of vectors: Leiden over the neighbour graph, or the published fast community detection."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import igraph
import leidenalg
import numpy as np
import numpy.typing as npt

from fanno_core.communities.neighbours import Edges
from fanno_core.errors import MissingExtra
from fanno_core.extras import how_to_install
from fanno_core.store.contracts import Floats

# Rows whose cosines to all others are in memory at once.
BLOCK = 1024
QUALITIES = {"cpm": leidenalg.CPMVertexPartition, "rb": leidenalg.RBConfigurationVertexPartition}


def leiden(count: int, edges: Edges, quality: str, resolution: float, seed: int) -> list[list[int]]:
    """Leiden's partition of `count` rows; every row is in exactly one group, alone if need be.

    Args:
        count: number of rows.
        edges: weighted edges between them.
        quality: `cpm` (constant Potts) or `rb` (Reichardt-Bornholdt modularity).
        resolution: larger gives smaller groups.
        seed: of Leiden's random order.

    Returns:
        Groups of row numbers, larger first, then by their smallest row; rows within a group rise.

    Source: Traag, Waltman, van Eck, From Louvain to Leiden (2019), as leidenalg implements it.
    """
    graph = igraph.Graph(n=count, edges=edges.pairs.tolist())
    partition = leidenalg.find_partition(
        graph,
        QUALITIES[quality],
        weights=edges.weights.tolist(),
        resolution_parameter=resolution,
        seed=seed,
        n_iterations=iterations(edges),
    )
    groups: dict[int, list[int]] = defaultdict(list)
    for row, group in enumerate(partition.membership):
        groups[group].append(row)
    return sorted(groups.values(), key=lambda rows: (-len(rows), rows[0]))


def iterations(edges: Edges) -> int:
    """How often Leiden goes over a graph: until nothing moves, but over a large one a few times."""
    return -1 if len(edges.pairs) < 200_000 else 4


def fast_communities(vectors: Floats, threshold: float, min_size: int) -> list[list[int]]:
    """The groups of fast community detection, the published method. Rows in no group of `min_size` are in none.

    Around each row stands the community of all rows at or above the threshold; the largest communities are kept
    first, each without the rows that another took. It is not transitive.

    Args:
        vectors: `[n, d]` unit vectors.
        threshold: smallest cosine to a community's centre.
        min_size: smallest community, before and after rows are taken from it.

    Returns:
        Groups of row numbers, larger first; within a group by falling cosine to its centre, which stands first
        unless a larger group took it.

    Raises:
        MissingExtra: PyTorch is not installed.

    Source: `community_detection` of sentence-transformers at 85ec645, which the published code calls; version 6.2
    of that library also drops communities whose centre is taken and so gives other groups.
    """
    around = [near for near in _neighbourhoods(vectors, threshold, min_size) if len(near) >= min_size]
    taken = np.zeros(len(vectors), dtype=bool)
    groups: list[list[int]] = []
    for community in sorted(around, key=len, reverse=True):
        free = community[~taken[community]]
        if len(free) >= min_size:
            taken[free] = True
            groups.append(free.tolist())
    return sorted(groups, key=len, reverse=True)


def _neighbourhoods(vectors: Floats, threshold: float, min_size: int) -> Iterator[npt.NDArray[np.int64]]:
    """For each row the rows at or above the threshold, by falling cosine.

    PyTorch's `topk` does it, with the reference's number of candidates, because the reference leaves the order
    of exact duplicates to it.
    """
    try:
        import torch
    except ImportError:
        raise MissingExtra(f"communities.partition=fast needs PyTorch: {how_to_install('models')}") from None
    embeddings = torch.from_numpy(np.ascontiguousarray(vectors))
    candidates = min(max(2 * min_size, 50), len(vectors))
    for start in range(0, len(vectors), BLOCK):
        for cosines in embeddings[start : start + BLOCK] @ embeddings.T:
            values, rows = cosines.topk(candidates)
            while values[-1] >= threshold and candidates < len(vectors):
                candidates = min(2 * candidates, len(vectors))
                values, rows = cosines.topk(candidates)
            yield rows[values >= threshold].numpy()
