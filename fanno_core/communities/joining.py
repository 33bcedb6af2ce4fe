"""Who joins which community after a change, and who stands for it; ids of communities and topics stay.

Rows of documents are held as columns over the rows of the standing graph; only those that change become objects.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from fanno_core.communities.neighbours import Edges, Mask, Rows, build_index
from fanno_core.communities.partition import fast_communities
from fanno_core.communities.refinement import refined
from fanno_core.communities.representatives import in_turns, not_standing, partition_documents, placed, places
from fanno_core.communities.standing_graph import StandingGraph
from fanno_core.communities.standing_members import NONE, After, Before
from fanno_core.refresh.contracts import Member
from fanno_core.settings import Communities
from fanno_core.store.contracts import Document, Floats, Placed, Rejection


@dataclass(frozen=True)
class Joined:
    """What a change does to the partition: rows to write, rows that no longer hold, and how much moved.

    Attributes:
        members: rows of `Member` that are new or changed, in the order of their ids.
        placed: documents that stand for a community from now on, at the end of the queue, in its order. Rows of
            those that stood before are unchanged, and are not here.
        rejected: rejections that are new or changed, in the order of their ids.
        lapsed: ids whose rejection from a version before no longer holds: promoted, or said anew in `rejected`.
        standing: documents of the version before that still stand.
        moved: how many of them changed their community tonight.
        drift: share of them that are in another community than at the last full build, or than they joined since.
        rebuild: whether that is more than `refresh.max_drift` allows.
    """

    members: list[Member]
    placed: list[Placed]
    rejected: list[Rejection]
    lapsed: list[str]
    standing: int
    moved: int
    drift: float
    rebuild: bool


def first_members(
    documents: Sequence[Document], graph: StandingGraph, settings: Communities, prefer: str, seed: int
) -> list[Member]:
    """The members that a full build leaves, as `choose_representatives` decides of the same documents.

    Args:
        documents: the screened documents, in the order of their ids.
        graph: `update_neighbours` of them without old rows.
        settings: those of the build.
        prefer: see `Screen.prefer`.
        seed: of the build.
    """
    edges = graph.edges(min(settings.threshold, settings.topic_threshold))
    found = partition_documents(documents, graph.vectors, edges, settings, prefer, seed)
    community, represents = [""] * len(documents), [False] * len(documents)
    for rows in found.communities:
        for rank, row in enumerate(rows):
            community[row] = documents[rows[0]].id
            represents[row] = rank < places(len(rows), settings)
    return [
        Member(each.id, community[row], community[row], found.topics[row], each.words, represents[row])
        for row, each in enumerate(documents)
    ]


def join_partition(
    members: pa.Table,
    graph: StandingGraph,
    documents_of: Callable[[Sequence[str]], Sequence[Document]],
    settings: Communities,
    prefer: str,
    max_drift: float,
    seed: int,
    first_order: int,
) -> Joined:
    """The partition after a change, from that of the version before.

    With `leiden`, the communities that the change touches are refined from their last membership: those of new
    documents, of their neighbours and of the neighbours of what is gone, and those that lost a member. New documents
    begin alone. With `fast`, a new document joins the community of the nearest document that stands for one, where
    that is at or above the threshold; the others make communities of their own by the published method; old documents
    stay where they are, also those that are in none. Topics are refined around the change in the same way.

    A community keeps its id, whatever its centre is now: of a split the part with most old members keeps it, of a
    merge the larger one's stays. Who stands for a community stays in its place, also where two have merged. One with
    fewer than `per_community` promotes its central member and then others, ranked as in a full build.

    Args:
        members: rows of `Member` of the version before, in any order; those of gone documents included.
        graph: the neighbour graph after the change; it says which documents stand.
        documents_of: the screened documents with these ids, in any order: new ones, promoted ones and those whose
            rejection changes.
        settings: as at the last full build.
        prefer: see `Screen.prefer`.
        max_drift: see `Refresh.max_drift`.
        seed: of Leiden's random order.
        first_order: the first free place at the end of the queue: one more than the largest `order` in `placed`.
    """
    before = Before.of(members, graph)
    edges = graph.edges(min(settings.threshold, settings.topic_threshold))
    labels = _communities(before, graph, edges, settings, seed)
    topics = _topics(before, graph, edges, settings, seed)
    found = _by_id(documents_of, graph, before.fresh)
    words = before.words.copy()
    words[before.fresh] = [found[graph.ids[row]].words for row in np.flatnonzero(before.fresh)]
    after = After.of(before, labels, words.tolist(), graph, settings, prefer)
    renamed = after.name != before.name
    refused = ~after.represents & (before.fresh | renamed)
    refused |= ~after.represents & ((after.sizes < settings.min_size) != (before.sizes < settings.min_size))
    promoted = after.represents & ~before.represents
    found |= _by_id(documents_of, graph, (refused | promoted) & ~before.fresh)
    built = np.where(before.fresh, after.name, before.built)
    columns = (after.name, built, topics, words, after.represents, before.asked)
    changed = before.fresh | renamed | (topics != before.topics) | promoted
    standing = int((~before.fresh).sum())
    drifted = int((~before.fresh & (after.name != built)).sum())
    return Joined(
        members=[Member(graph.ids[row], *(each[row].item() for each in columns)) for row in np.flatnonzero(changed)],
        placed=_queued(after, topics, [found[graph.ids[row]] for row in after.ranks], prefer, first_order),
        rejected=[
            not_standing(found[graph.ids[row]], after.name[row].item(), int(after.sizes[row]), settings)
            for row in np.flatnonzero(refused)
        ],
        lapsed=[graph.ids[row] for row in np.flatnonzero((refused | promoted) & ~before.fresh)],
        standing=standing,
        moved=int((~before.fresh & renamed).sum()),
        drift=drifted / max(1, standing),
        rebuild=drifted > max_drift * standing,
    )


def _communities(before: Before, graph: StandingGraph, edges: Edges, settings: Communities, seed: int) -> Rows:
    """The label of each document's community after the change; labels that were there before keep their meaning."""
    if settings.partition == "fast":
        return _joined_fast(before, graph.vectors, settings)
    touched = np.union1d(before.labels[graph.touched(settings.threshold)], before.lost)
    free = np.isin(before.labels, touched)
    return refined(before.labels, free, edges.above(settings.threshold), settings.quality, settings.resolution, seed)


def _joined_fast(before: Before, vectors: Floats, settings: Communities) -> Rows:
    labels, new, standing = before.labels.copy(), np.flatnonzero(before.fresh), np.flatnonzero(before.represents)
    labels[new] = NONE
    cosines, nearest = build_index(vectors[standing], len(standing), 0).search(vectors[new], 1)
    if len(standing):
        joins = cosines[:, 0] >= settings.threshold
        labels[new[joins]] = labels[standing[nearest[joins, 0]]]
        new = new[~joins]
    if len(new):
        groups = fast_communities(vectors[new], settings.threshold, settings.min_size)
        for label, group in enumerate(groups, start=len(before.names)):
            labels[new[group]] = label
    return labels


def _topics(before: Before, graph: StandingGraph, edges: Edges, settings: Communities, seed: int) -> Rows:
    """The number of each document's topic: those that were there before keep theirs, new ones get the next."""
    first = int(before.topics[~before.fresh].max(initial=-1)) + 1
    labels = before.topics.copy()
    labels[before.fresh] = first + np.arange(before.fresh.sum())
    free, near = graph.touched(settings.topic_threshold), edges.above(settings.topic_threshold)
    topics = refined(labels, free, near, "rb", settings.topic_resolution, seed)
    late = topics >= first
    numbers, row, which, sizes = np.unique(topics[late], return_index=True, return_inverse=True, return_counts=True)
    place = np.empty(len(numbers), np.int64)
    place[np.lexsort((row, -sizes))] = first + np.arange(len(numbers))
    topics[late] = place[which]
    return topics


def _queued(after: After, topics: Rows, documents: Sequence[Document], prefer: str, first_order: int) -> list[Placed]:
    """The documents that stand for a community from now on, in turns behind the queue that there is."""
    rows = [
        placed(document, after.name[row].item(), int(after.sizes[row]), rank, int(topics[row]))
        for document, (row, rank) in zip(documents, after.ranks.items(), strict=True)
    ]
    return [replace(row, order=row.order + first_order) for row in in_turns(rows, prefer)]


def _by_id(
    documents_of: Callable[[Sequence[str]], Sequence[Document]], graph: StandingGraph, which: Mask
) -> dict[str, Document]:
    wanted = [graph.ids[row] for row in np.flatnonzero(which)]
    return {document.id: document for document in documents_of(wanted)} if wanted else {}
