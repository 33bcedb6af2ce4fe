"""Leiden from a partition that there is: only some rows may move, and the work follows their number."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import igraph
import leidenalg
import numpy as np

from fanno_core.communities.neighbours import Edges, Mask, Rows
from fanno_core.communities.partition import QUALITIES, iterations


def refined(labels: Rows, free: Mask, edges: Edges, quality: str, resolution: float, seed: int) -> Rows:
    """The groups after Leiden moved the free rows, beginning from the groups in which they are.

    The others stay where they are, as one node a group: so the work follows the number of free rows. With `cpm` what
    a move gains depends on the sizes of two groups and on the edges into them, and edges between rows that stay are
    left out. With `rb` it depends on the strength of every group and of the whole graph: all edges are kept, those
    inside a node as its loop, which leaves every strength, and so the null model, as in the whole graph.

    Args:
        labels: `[n]` the group of each row, >= 0.
        free: `[n]` which rows may move.
        edges: of the whole graph.
        quality: see `leiden`.
        resolution: see `leiden`.
        seed: of Leiden's random order.

    Returns:
        `[n]` labels. A group keeps its label while rows of it stay. Otherwise a label goes to the group that took
        most of its rows, and a group keeps one: that of which it has most, then the smallest. Parts that get none
        are numbered after the largest label, larger parts first, then by their smallest row.
    """
    if not free.any():
        return labels.copy()
    touching = edges if quality == "rb" else edges.where(free[edges.pairs[:, 0]] | free[edges.pairs[:, 1]])
    nodes = _Nodes.of(labels, free, touching)
    partition = _partition(nodes, quality, resolution)
    optimiser = leidenalg.Optimiser()
    optimiser.set_rng_seed(seed)
    optimiser.optimise_partition(partition, iterations(nodes.edges), is_membership_fixed=nodes.stays.tolist())
    return _relabelled(labels, free, nodes, np.asarray(partition.membership))


def quality_of(labels: Rows, edges: Edges, quality: str, resolution: float) -> float:
    """Leiden's quality of a partition: `labels` says to which group each row belongs."""
    return float(_partition(_Nodes.of(labels, np.ones(len(labels), np.bool_), edges), quality, resolution).quality())


@dataclass(frozen=True)
class _Nodes:
    """A graph whose rows that stay are merged by group.

    Attributes:
        edges: between nodes; their weights are sums.
        labels, sizes, stays: `[m]` group of each node, the rows in it, whether it stays.
        rows: the free rows; their nodes are the last ones, in this order.
    """

    edges: Edges
    labels: Rows
    sizes: Rows
    stays: Mask
    rows: Rows

    @staticmethod
    def of(labels: Rows, free: Mask, edges: Edges) -> _Nodes:
        rows = np.flatnonzero(free)
        stay = np.unique(labels[~free])
        # Without an edge a node is of use only where rows of its group may leave: it keeps the label.
        joined = np.union1d(labels[edges.pairs].ravel(), labels[rows])
        held = stay[np.isin(stay, joined)]
        node = np.zeros(len(labels), np.int64)
        node[rows] = len(held) + np.arange(len(rows))
        node[~free] = np.searchsorted(held, labels[~free])
        count = len(held) + len(rows)
        lower, upper = node[edges.pairs].min(axis=1), node[edges.pairs].max(axis=1)
        keys, pair = np.unique(lower * count + upper, return_inverse=True)
        weights = np.bincount(pair, edges.weights, minlength=len(keys)).astype(np.float32)
        merged = np.bincount(labels[~free], minlength=int(labels.max()) + 1)[held]
        return _Nodes(
            Edges(np.stack([keys // count, keys % count], axis=1), weights),
            np.concatenate([held, labels[rows]]),
            np.concatenate([merged, np.ones(len(rows), np.int64)]),
            np.arange(count) < len(held),
            rows,
        )


def _partition(nodes: _Nodes, quality: str, resolution: float) -> Any:
    graph = igraph.Graph(n=len(nodes.labels), edges=nodes.edges.pairs.tolist())
    # Nodes that stand for several rows: `cpm` has to know how many.
    sizes = {"node_sizes": nodes.sizes.tolist()} if quality == "cpm" else {}
    return QUALITIES[quality](
        graph,
        initial_membership=np.unique(nodes.labels, return_inverse=True)[1].tolist(),
        weights=nodes.edges.weights.tolist(),
        resolution_parameter=resolution,
        **sizes,
    )


def _relabelled(labels: Rows, free: Mask, nodes: _Nodes, groups: Rows) -> Rows:
    """The labels of rows whose nodes were found in these groups."""
    held = int(nodes.stays.sum())
    label_of = dict(zip(groups[:held].tolist(), nodes.labels[:held].tolist(), strict=True))
    # A group whose rows stay without an edge is no node, but its label is taken all the same.
    taken = set(np.unique(labels[~free]).tolist())
    moved = groups[held:]
    shares = Counter(zip(moved.tolist(), labels[nodes.rows].tolist(), strict=True))
    for (group, label), _ in sorted(shares.items(), key=lambda item: (-item[1], item[0][1], item[0][0])):
        if group not in label_of and label not in taken:
            label_of[group] = label
            taken.add(label)
    found, first, sizes = np.unique(moved, return_index=True, return_counts=True)
    parts = sorted(zip((-sizes).tolist(), first.tolist(), found.tolist(), strict=True))
    nameless = [group for _, _, group in parts if group not in label_of]
    label_of |= {group: int(labels.max()) + 1 + i for i, group in enumerate(nameless)}
    after = labels.copy()
    after[nodes.rows] = [label_of[group] for group in moved.tolist()]
    return after
