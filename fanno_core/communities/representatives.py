"""Communities of screened documents, who stands for each, and the queue in which they give instructions."""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from fanno_core.communities.neighbours import Edges, build_index, neighbour_edges
from fanno_core.communities.partition import fast_communities, leiden
from fanno_core.outcome import Outcome
from fanno_core.settings import Communities
from fanno_core.store.contracts import Document, Floats, Placed, Rejection, rejected

PHASE = "communities"

log = logging.getLogger("fanno.communities")


def choose_representatives(
    documents: Sequence[Document], vectors: Floats, settings: Communities, prefer: str, seed: int
) -> Outcome[Placed]:
    """The documents that stand for their communities, each with its topic and place in the queue.

    Args:
        documents: screened documents, in the order of their ids.
        vectors: `[n, d]` their unit vectors.
        settings: how to partition and how many to keep.
        prefer: `longer`, `shorter` or `none`, see `Screen.prefer`.
        seed: of Leiden's random order.

    Rejected are members of communities beyond `per_community` (`represented`) and of communities below
    `min_size` (`small_community`).
    """
    started = time.perf_counter()
    found = partition_documents(documents, vectors, _edges(vectors, settings, seed), settings, prefer, seed)
    kept: list[Placed] = []
    dropped: list[Rejection] = []
    for members in found.communities:
        centre, size = documents[members[0]].id, len(members)
        for rank, row in enumerate(members):
            if rank < places(size, settings):
                kept.append(placed(documents[row], centre, size, rank, found.topics[row]))
            else:
                dropped.append(not_standing(documents[row], centre, size, settings))
    dropped += [not_standing(documents[row], "", 0, settings) for row in found.left_out]
    log.info(
        "%d documents, %d communities (%d with more than one member), %d topics, %.0f documents/s",
        len(documents), len(found.communities), sum(len(c) > 1 for c in found.communities), len(set(found.topics)),
        len(documents) / (time.perf_counter() - started),
    )  # fmt: skip
    return Outcome(in_turns(kept, prefer), dropped, len(documents))


@dataclass(frozen=True)
class Partition:
    """Where each document belongs, by row number.

    Attributes:
        communities: the rows of each, those first that stand for it.
        topics: the number of each row's topic.
    """

    communities: list[list[int]]
    topics: list[int]

    @property
    def left_out(self) -> list[int]:
        """Rows in no community."""
        grouped = {row for members in self.communities for row in members}
        return [row for row in range(len(self.topics)) if row not in grouped]


def partition_documents(
    documents: Sequence[Document], vectors: Floats, edges: Edges, settings: Communities, prefer: str, seed: int
) -> Partition:
    """The communities and topics of documents, see `choose_representatives`.

    The edges are those of the neighbour graph, down to the lower of the two thresholds.
    """
    ids, words = [document.id for document in documents], [document.words for document in documents]
    communities = []
    for group in _groups(vectors, edges, settings, seed):
        centre = group[0] if settings.partition == "fast" else central(group, ids, vectors)
        communities.append(ranked(group, centre, ids, words, prefer))
    return Partition(communities, _topics(len(documents), edges, settings, seed))


def places(size: int, settings: Communities) -> int:
    """How many stand for a community of this many members."""
    return settings.per_community if size >= settings.min_size else 0


def not_standing(document: Document, community: str, size: int, settings: Communities) -> Rejection:
    """The rejection of a document that does not stand for its community; which is empty if it is in none."""
    reason = "represented" if places(size, settings) else "small_community"
    detail = f"community {community}" if community else "in no community of the minimum size"
    return rejected(document, PHASE, reason, detail)


def in_turns(rows: Sequence[Placed], prefer: str) -> list[Placed]:
    """The queue: each topic in turn gives its next document, so that the first seeds are spread over topics."""
    by_topic: dict[int, list[Placed]] = defaultdict(list)
    for row in sorted(rows, key=lambda p: (p.rank, *_length_key(p.words, prefer), p.id)):
        by_topic[row.topic].append(row)
    turns = sorted((place, topic) for topic, each in by_topic.items() for place in range(len(each)))
    return [replace(by_topic[topic][place], order=order) for order, (place, topic) in enumerate(turns)]


def _edges(vectors: Floats, settings: Communities, seed: int) -> Edges:
    index = build_index(vectors, settings.exact_below, seed)
    lowest = min(settings.threshold, settings.topic_threshold)
    return neighbour_edges(index, vectors, settings.neighbours, lowest)


def _groups(vectors: Floats, edges: Edges, settings: Communities, seed: int) -> list[list[int]]:
    if settings.partition == "fast":
        return fast_communities(vectors, settings.threshold, settings.min_size)
    near = edges.above(settings.threshold)
    return leiden(len(vectors), near, settings.quality, settings.resolution, seed)


def _topics(count: int, edges: Edges, settings: Communities, seed: int) -> list[int]:
    """The number of each row's topic; topics are numbered by falling size."""
    groups = leiden(count, edges.above(settings.topic_threshold), "rb", settings.topic_resolution, seed)
    topics = [0] * count
    for number, group in enumerate(groups):
        for row in group:
            topics[row] = number
    return topics


def central(group: Sequence[int], ids: Sequence[str], vectors: Floats) -> int:
    """The row of a group that is nearest to the mean of all."""
    # In float64 and rounded, so that the last bit of a sum cannot decide between equals.
    members = vectors[group].astype(np.float64)
    closeness = np.round(members @ members.mean(axis=0), 5)
    return min(zip(-closeness, (ids[row] for row in group), group, strict=True))[2]


def ranked(group: Sequence[int], centre: int, ids: Sequence[str], words: Sequence[int], prefer: str) -> list[int]:
    """Rows of a community: the central one first, then by length, then by id."""
    others = [row for row in group if row != centre]
    others.sort(key=lambda row: (*_length_key(words[row], prefer), ids[row]))
    return [centre, *others]


def _length_key(words: int, prefer: str) -> tuple[int]:
    return ({"longer": -words, "shorter": words}.get(prefer, 0),)


def placed(document: Document, community: str, size: int, rank: int, topic: int) -> Placed:
    """A document in its place; its place in the queue is not known yet."""
    return Placed(
        id=document.id,
        community=community,
        community_size=size,
        rank=rank,
        order=0,
        topic=topic,
        text=document.text,
        source=document.source,
        location=document.location,
        licence=document.licence,
        words=document.words,
        quality=document.quality,
        carried_id=document.carried_id,
    )
