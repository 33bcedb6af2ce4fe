"""Communities of screened documents, who stands for each, and the queue in which they give instructions."""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

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
    edges = _edges(vectors, settings, seed)
    groups = _groups(vectors, edges, settings, seed)
    topics = _topics(len(documents), edges, settings, seed)
    kept: list[Placed] = []
    dropped: list[Rejection] = []
    for group in groups:
        members = _ranked(group, documents, vectors, settings, prefer)
        too_small = len(group) < settings.min_size
        centre = documents[members[0]].id
        for rank, row in enumerate(members):
            if too_small or rank >= settings.per_community:
                reason = "small_community" if too_small else "represented"
                dropped.append(rejected(documents[row], PHASE, reason, f"community {centre}"))
            else:
                kept.append(_placed(documents[row], centre, len(group), rank, topics[row]))
    dropped += _left_out(documents, groups)
    log.info(
        "%d documents, %d communities (%d with more than one member), %d topics, %.0f documents/s",
        len(documents), len(groups), sum(len(g) > 1 for g in groups), len(set(topics)),
        len(documents) / (time.perf_counter() - started),
    )  # fmt: skip
    return Outcome(in_turns(kept, prefer), dropped, len(documents))


def in_turns(placed: Sequence[Placed], prefer: str) -> list[Placed]:
    """The queue: each topic in turn gives its next document, so that the first seeds are spread over topics."""
    by_topic: dict[int, list[Placed]] = defaultdict(list)
    for row in sorted(placed, key=lambda p: (p.rank, *_length_key(p.words, prefer), p.id)):
        by_topic[row.topic].append(row)
    turns = sorted((place, topic) for topic, rows in by_topic.items() for place in range(len(rows)))
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


def _ranked(
    group: list[int], documents: Sequence[Document], vectors: Floats, settings: Communities, prefer: str
) -> list[int]:
    """Members of a community: the central one first, then by length, then by id."""
    if settings.partition == "fast":
        centre = group[0]
    else:
        # In float64 and rounded, so that the last bit of a sum cannot decide between equals.
        members = vectors[group].astype(np.float64)
        closeness = np.round(members @ members.mean(axis=0), 5)
        centre = min(zip(-closeness, (documents[i].id for i in group), group, strict=True))[2]
    others = [row for row in group if row != centre]
    others.sort(key=lambda row: (*_length_key(documents[row].words, prefer), documents[row].id))
    return [centre, *others]


def _length_key(words: int, prefer: str) -> tuple[int]:
    return ({"longer": -words, "shorter": words}.get(prefer, 0),)


def _left_out(documents: Sequence[Document], groups: Sequence[Sequence[int]]) -> list[Rejection]:
    grouped = {row for group in groups for row in group}
    return [
        rejected(document, PHASE, "small_community", "in no community of the minimum size")
        for row, document in enumerate(documents)
        if row not in grouped
    ]


def _placed(document: Document, centre: str, size: int, rank: int, topic: int) -> Placed:
    return Placed(
        id=document.id,
        community=centre,
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
