"""The neighbour graph as it stands after many nights: what came is searched, and nothing else but what ran short.

A row of `Neighbours` holds a document's nearest and, beneath them, the documents whose nearest it came to be among
later: so a new document changes its own row and no other. Everything nearer than the last of a row's nearest is
known, from that row or from the other's. A few more than are wanted are kept, so that a row outlives that many
withdrawals before its document is searched again.

Few queries are searched exactly whatever the size of the corpus: that costs less than training inverted lists.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fanno_core.communities.near import NOTHING, Near
from fanno_core.communities.neighbours import Edges, Mask, Rows, build_index, undirected
from fanno_core.refresh.contracts import Neighbours
from fanno_core.settings import Communities
from fanno_core.store.contracts import Floats

# Nearest that are kept beyond those that are wanted.
BEYOND = 8
# A row of this many times as many as it was written with is written anew, so that rows do not grow for ever.
OVERGROWN = 3
# Cosines in memory at once when new documents are held against all: 32 MiB.
BLOCK = 2**23
# Further than any rounding of a float32 product of unit vectors.
ROUNDING = 1e-5


@dataclass(frozen=True)
class StandingGraph:
    """The neighbour graph after a change, by row number.

    Attributes:
        ids: `[n]` ids of all screened documents, rising.
        vectors: `[n, d]` their unit vectors.
        near: all known pairs, each once; sources and targets rise.
        neighbours: how many nearest make edges.
        fresh: `[n]` which documents are new.
        lost: the ends that stand of pairs whose other end (its target, -1) is gone since the last version.
        changed: rows to write, in the order of their ids.
    """

    ids: list[str]
    vectors: Floats
    near: Near
    neighbours: int
    fresh: Mask
    lost: Near
    changed: list[Neighbours]

    def edges(self, threshold: float) -> Edges:
        """Edges from each document to its nearest at or above a cosine, as `neighbour_edges` has them."""
        near = self.near.where(self.near.cosines >= threshold).both_ways().by_nearness()
        place = np.arange(len(near.sources)) - np.searchsorted(near.sources, near.sources)
        near = near.where(place < self.neighbours)
        return undirected(near.sources, near.targets, near.cosines, len(self.ids))

    def touched(self, threshold: float) -> Mask:
        """`[n]` which documents are new, or lie at or above a cosine from one that is new or gone."""
        touched = self.fresh.copy()
        near = self.near.where(self.near.cosines >= threshold)
        touched[near.targets[self.fresh[near.sources]]] = True
        touched[near.sources[self.fresh[near.targets]]] = True
        touched[self.lost.sources[self.lost.cosines >= threshold]] = True
        return touched


def update_neighbours(
    ids: Sequence[str], vectors: Floats, old: pa.Table, settings: Communities, seed: int
) -> StandingGraph:
    """The neighbour graph of all documents that now stand, and the rows of it that have to be written.

    New is what has no row in `old`, gone what has one and is not in `ids`. With no rows at all this is a full
    build. The same id is taken to have the same vector for ever.

    Args:
        ids: of all screened documents after the change, in any order.
        vectors: `[n, d]` their unit vectors, in the same order.
        old: rows of `Neighbours` as the last version has them, in any order.
        settings: how many neighbours, and up to how many documents search is exact.
        seed: of the inverted lists.
    """
    old = old.sort_by("id")
    order = np.argsort(np.asarray(ids, dtype=np.str_))
    names = [ids[i] for i in order]
    vectors = np.ascontiguousarray(vectors[order], np.float32)
    reach = _Reach.of(old, names)
    known, lost = _known(old, names)
    search = _Search(vectors, settings, seed)
    fresh = ~reach.written
    count = len(names)
    found = search.nearest(np.flatnonzero(fresh))
    near = Near.together(known, _entered(vectors, fresh, reach), found).once(count)
    pairs = near.both_ways()
    held = reach.count(pairs)
    short = held < min(settings.neighbours, count - 1)
    again = ~fresh & (short | (held > OVERGROWN * search.depth))
    if again.any():
        found = Near.together(found, search.nearest(np.flatnonzero(again)))
        near = Near.together(near, found).once(count)
    changed = _rows(names, fresh | again, found, pairs, reach)
    return StandingGraph(names, vectors, near, settings.neighbours, fresh, lost, changed)


@dataclass(frozen=True)
class _Reach:
    """How far the nearest of each document's row go: all that is nearer is known.

    Attributes:
        written: `[n]` whether the document has a row.
        cosine: `[n]` to the last of its nearest; infinite where nothing is known.
        before: `[n]` among equals of that cosine, the row number at which the known ones end.
    """

    written: Mask
    cosine: Floats
    before: Rows

    @staticmethod
    def of(old: pa.Table, names: list[str]) -> _Reach:
        rows, nearest = places_of(old["id"], names), old["nearest"].to_numpy()
        offsets = _column(old["near"]).offsets.to_numpy()
        some = (rows >= 0) & (nearest > 0)
        last = offsets[:-1][some] + nearest[some] - 1
        cosine, before = np.full(len(names), np.inf, np.float32), np.zeros(len(names), np.int64)
        cosine[rows[some]] = _column(old["cosines"]).values.to_numpy()[last]
        ends = np.asarray(_column(old["near"]).values.take(pa.array(last)).to_pylist(), dtype=np.str_)
        before[rows[some]] = np.searchsorted(np.asarray(names, dtype=np.str_), ends, side="right")
        written = np.zeros(len(names), np.bool_)
        written[rows[rows >= 0]] = True
        return _Reach(written, cosine, before)

    def holds(self, near: Near) -> Mask:
        """Which targets lie within the reach of their source."""
        reach = self.cosine[near.sources]
        level = (near.cosines == reach) & (near.targets < self.before[near.sources])
        return cast("Mask", (near.cosines > reach) | level)

    def count(self, near: Near) -> Rows:
        """`[n]` how many targets lie within each one's reach."""
        return np.bincount(near.sources[self.holds(near)], minlength=len(self.cosine))


@dataclass(frozen=True)
class _Search:
    vectors: Floats
    settings: Communities
    seed: int

    @property
    def depth(self) -> int:
        return self.settings.neighbours + BEYOND

    def nearest(self, rows: Rows) -> Near:
        """Some documents and the nearest of each, by falling cosine; in the order of the rows."""
        if not len(rows):
            return NOTHING
        count = len(self.vectors)
        # As many products as the settings allow for the exact search of a whole corpus.
        exact = len(rows) * count <= self.settings.exact_below**2
        index = build_index(self.vectors, count if exact else self.settings.exact_below, self.seed)
        cosines, found = index.search(self.vectors[rows], self.depth + 1)
        others = (found >= 0) & (found != rows[:, None])
        others &= others.cumsum(axis=1) <= self.depth
        sources = np.broadcast_to(rows[:, None], found.shape)
        return Near(sources[others], found[others], cosines[others])


def _known(old: pa.Table, names: list[str]) -> tuple[Near, Near]:
    """The pairs that the rows hold between documents that stand, and those that lost an end since."""
    near = _column(old["near"])
    owners, mentioned = places_of(old["id"], names), near.values
    sources = np.repeat(owners, near.value_lengths().to_numpy())
    targets = places_of(mentioned, names)
    cosines = _column(old["cosines"]).values.to_numpy()
    stand = (sources >= 0) & (targets >= 0)
    gone = old["id"].filter(pa.array(owners < 0))
    left = (sources >= 0) & pc.is_in(mentioned, value_set=gone).to_numpy(zero_copy_only=False)
    orphaned = (sources < 0) & (targets >= 0)
    ends = np.concatenate([sources[left], targets[orphaned]])
    lost = Near(ends, np.full(len(ends), -1), np.concatenate([cosines[left], cosines[orphaned]]))
    return Near(sources, targets, cosines).where(stand), lost


def _entered(vectors: Floats, fresh: Mask, reach: _Reach) -> Near:
    """New documents, each with the old ones whose nearest it is among."""
    rows, standing = np.flatnonzero(fresh), np.flatnonzero(~fresh)
    parts = [NOTHING]
    lowest = reach.cosine[standing] - ROUNDING
    step = max(1, BLOCK // max(1, len(standing)))
    for start in range(0, len(rows) if len(standing) else 0, step):
        block = rows[start : start + step]
        at, to = np.nonzero(vectors[block] @ vectors[standing].T >= lowest)
        sources, targets = block[at], standing[to]
        cosines = np.einsum("md,md->m", vectors[sources], vectors[targets], dtype=np.float64).astype(np.float32)
        pairs = Near(targets, sources, cosines)
        parts.append(pairs.where(reach.holds(pairs)))
    return Near.together(*parts)


def _rows(names: list[str], written: Mask, found: Near, near: Near, reach: _Reach) -> list[Neighbours]:
    """The rows of some documents: what was found for each, then those old ones whose nearest it is among."""
    rely = near.where(written[near.targets] & ~written[near.sources])
    rely = rely.where(reach.holds(rely))
    count = len(names)
    new = ~np.isin(rely.targets * count + rely.sources, found.sources * count + found.targets)
    both = Near.together(found, Near(rely.targets, rely.sources, rely.cosines).where(new))
    beneath = np.arange(len(both.sources)) >= len(found.sources)
    order = np.lexsort((both.targets, -both.cosines, beneath, both.sources))
    both, owners = both.where(order), np.flatnonzero(written)
    starts = np.searchsorted(both.sources, owners)
    ends = np.searchsorted(both.sources, owners, side="right")
    nearest = np.bincount(found.sources, minlength=count)
    return [
        Neighbours(
            names[row],
            tuple(names[i] for i in both.targets[start:end].tolist()),
            both.cosines[start:end],
            int(nearest[row]),
        )
        for row, start, end in zip(owners.tolist(), starts.tolist(), ends.tolist(), strict=True)
    ]


def _column(column: pa.ChunkedArray) -> pa.Array:
    """The column in one piece that starts at its beginning."""
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def places_of(ids: pa.ChunkedArray | pa.Array, names: list[str]) -> Rows:
    """The row number of each id; -1 where it does not stand."""
    found = pc.index_in(ids, value_set=pa.array(names, pa.string())).fill_null(-1)
    return np.asarray(found.to_numpy(), dtype=np.int64)
