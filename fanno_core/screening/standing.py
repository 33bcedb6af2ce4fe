"""The near-duplicate index from night to night: which documents stand after some have left and others joined.

The set that stands is that of `drop_duplicates` over all documents, but only those are compared that the change
touches. Row numbers below are places in the queue of `drop_duplicates`, so that whether a document stands depends on
smaller numbers alone.
"""

from __future__ import annotations

import heapq
import zlib
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from fanno_core.errors import ContractBroken
from fanno_core.refresh.contracts import Sketch
from fanno_core.screening.duplicates import (
    Repeat,
    bands_for,
    empty_minhash,
    fill,
    jaccard,
    repeat_rejected,
    shingles_of,
    text_digest,
)
from fanno_core.settings import Screen
from fanno_core.store.contracts import Document, Rejection
from fanno_core.store.tables import to_table
from fanno_core.text import words_of

Rows = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
DocumentsOf = Callable[[Collection[str]], Iterable[Document]]

BAND_DIGITS = 8
"""Hex digits of a band's hash: of 100,000 documents, one in 2,000 meets one by chance, and is compared in vain."""
NONE, LEFT = -1, -2
"""In place of the row that a document repeats: it stands; that row has left."""
REMEMBERED = 4096
"""Sets of shingles, of 30 KB each, that are kept for the next comparison."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a night's leaves and joins change.

    Attributes:
        kept: ids that stand now, and are new or did not stand before.
        fallen: ids that stood before and do not any more, without those that have left.
        rejected: rejections of what does not stand and is new, fell, or repeats another document than before.
        gone_rejections: ids of documents whose earlier rejection no longer holds.
        sketches: new and changed rows of the index.
        gone_sketches: ids that leave the index.
    """

    kept: tuple[str, ...]
    fallen: frozenset[str]
    rejected: tuple[Rejection, ...]
    gone_rejections: frozenset[str]
    sketches: tuple[Sketch, ...]
    gone_sketches: frozenset[str]


def join(
    new: Sequence[Document], gone: Collection[str], sketches: pa.Table, documents_of: DocumentsOf, settings: Screen
) -> Standing:
    """Which documents stand once some have left and others joined.

    Args:
        new: documents that join, each id once; one with the id of an old one takes its place.
        gone: ids that leave; those that the index does not hold do no harm.
        sketches: the index as it was, a table of `Sketch`, made with the same settings.
        documents_of: the documents with these ids, as they were when they joined.
        settings: what counts as a near-duplicate.

    Raises:
        ContractBroken: the index was made for another number of bands, or a document is missing.
    """
    bands = bands_for(settings.near_duplicate)
    leaving = {*gone, *(document.id for document in new)}
    leaves = pc.is_in(sketches["id"], value_set=pa.array(list(leaving), pa.string()))
    joined = to_table(_sketches(new, *bands), Sketch)
    table = pa.concat_tables([sketches.filter(pc.invert(leaves)), joined])
    table = table.sort_by([("words", "descending"), ("id", "ascending")]).combine_chunks()
    queue = _Queue(table, {document.id: document for document in new}, documents_of, bands[0], settings.near_duplicate)
    queue.settle()
    return queue.standing(frozenset(sketches["id"].filter(leaves).to_pylist()))


def _sketches(documents: Sequence[Document], bands: int, width: int) -> list[Sketch]:
    sketch = empty_minhash()
    rows = []
    for document in documents:
        fill(sketch, shingles_of(document.text))
        values = sketch.hashvalues.astype("<u4")
        hashes = (zlib.crc32(values[n * width : (n + 1) * width].tobytes(), n) for n in range(bands))
        text = "".join(f"{value:0{BAND_DIGITS}x}" for value in hashes)
        rows.append(Sketch(document.id, len(words_of(document.text)), text_digest(document.text), text))
    return rows


class _Queue:
    """The documents in the order in which they are looked at, and of each what it repeats."""

    def __init__(
        self, table: pa.Table, new: dict[str, Document], documents_of: DocumentsOf, bands: int, threshold: float
    ) -> None:
        self.table = table
        self.ids = table["id"].combine_chunks()
        self.documents = new.copy()
        self.documents_of = documents_of
        self.threshold = threshold
        self.shingles = lru_cache(REMEMBERED)(shingles_of)
        self.is_new: Flags = _flags(pc.is_in(self.ids, value_set=pa.array(list(new), pa.string())))
        heads = _heads(table["digest"])
        self.is_head: Flags = heads == np.arange(len(heads))
        self.before = _before(table, self.ids)
        self.repeats: Rows = np.where(self.is_head, self.before, heads)
        self.repeats[self.is_new & self.is_head] = LEFT  # nothing is known of them yet
        old = table["similarity"].to_numpy()
        self.similarity: npt.NDArray[np.float64] = np.where(self.is_head, old, 1.0)
        self.meeting = _Meeting(table["bands"], np.flatnonzero(self.is_head), bands)

    def settle(self) -> None:
        """Looks again at whatever the leaves and joins touch, in the order of the queue."""
        covers = self.repeats.clip(0)
        unsure = (self.repeats == LEFT) | (self.repeats >= 0) & (self.is_new[covers] | ~self.is_head[covers])
        waiting = np.flatnonzero(self.is_head & unsure).tolist()
        queued = {*waiting}
        self._fetch([row for first in waiting for row in (first, *self._rivals(first))])
        while waiting:
            row = heapq.heappop(waiting)
            touched = {*self._settled(row)} - queued
            self._fetch(touched)
            queued |= touched
            for later in touched:
                heapq.heappush(waiting, later)

    def _settled(self, row: int) -> list[int]:
        """Decides on a document; the later ones that this may change."""
        stood = self.repeats[row] == NONE
        rivals = self._rivals(row)
        self._fetch([row, *rivals] if rivals else [])
        # Of equally similar ones the first in the queue is named, hence the sign.
        similar = ((jaccard(self._shingles(row), self._shingles(rival)), -rival) for rival in rivals)
        score, rival = max(similar, default=(0.0, 0))
        if score >= self.threshold:
            self.repeats[row], self.similarity[row] = -rival, score
            return np.flatnonzero(self.is_head & (self.repeats == row)).tolist() if stood else []
        self.repeats[row], self.similarity[row] = NONE, 0.0
        if stood:
            return []
        met = self.meeting.of(row)
        later: list[int] = np.unique(met[met > row]).tolist()
        return later

    def _rivals(self, row: int) -> list[int]:
        """Documents before this one that stand and share a band with it."""
        met = self.meeting.of(row)
        rivals: list[int] = np.unique(met[(met < row) & (self.repeats[met] == NONE)]).tolist()
        return rivals

    def _shingles(self, row: int) -> set[str]:
        return self.shingles(self.documents[self.ids[row].as_py()].text)

    def _fetch(self, rows: Collection[int]) -> None:
        """Reads the documents that are not at hand yet, all at once."""
        ids = {self.ids[row].as_py() for row in rows}
        ids = {name for name in ids if name not in self.documents}
        if ids:
            self.documents |= {document.id: document for document in self.documents_of(ids)}
        missing = [name for name in ids if name not in self.documents]
        if missing:
            raise ContractBroken(f"document {min(missing)} stands in the near-duplicate index alone; refresh --rebuild")

    def standing(self, left: frozenset[str]) -> Standing:
        """What differs from before; `left` have left the index."""
        stands, stood = self.repeats == NONE, (self.before == NONE) & ~self.is_new
        same = (self.repeats == self.before) & (self.similarity == self.table["similarity"].to_numpy())
        differs = ~same | self.is_new
        changed = np.flatnonzero(differs).tolist()
        self._fetch([row for row in changed if not stands[row]])
        return Standing(
            kept=self._names(stands & ~stood),
            fallen=frozenset(self._names(stood & ~stands)),
            rejected=tuple(self._rejection(row) for row in changed if not stands[row]),
            gone_rejections=frozenset(self._names(differs & ~stood & ~self.is_new)),
            sketches=tuple(self._sketch(row) for row in changed),
            gone_sketches=left - {*self._names(self.is_new)},
        )

    def _names(self, rows: Flags) -> tuple[str, ...]:
        return tuple(self.ids.filter(pa.array(rows)).to_pylist())

    def _rejection(self, row: int) -> Rejection:
        document = self.documents[self.ids[row].as_py()]
        reason = "near_duplicate" if self.is_head[row] else "exact_duplicate"
        return repeat_rejected(document, reason, Repeat(self.ids[self.repeats[row]].as_py(), self.similarity[row]))

    def _sketch(self, row: int) -> Sketch:
        name, words, digest, bands = (self.table[key][row].as_py() for key in ("id", "words", "digest", "bands"))
        of = "" if self.repeats[row] == NONE else self.ids[self.repeats[row]].as_py()
        return Sketch(name, words, digest, bands, of, float(self.similarity[row]))


class _Meeting:
    """Who shares a band with whom."""

    def __init__(self, column: pa.ChunkedArray, rows: Rows, bands: int) -> None:
        self.hashes = _hashes(column, bands)
        flat = self.hashes[rows].ravel()
        order = np.argsort(flat, kind="stable")
        self.sorted = flat[order]
        self.rows = rows[order // bands]

    def of(self, row: int) -> Rows:
        """The rows that share a band with this one, each as often as they share one; itself among them."""
        keys = self.hashes[row]
        first, last = (np.searchsorted(self.sorted, keys, side) for side in ("left", "right"))
        return np.concatenate([self.rows[a:b] for a, b in zip(first, last, strict=True)])


def _hashes(column: pa.ChunkedArray, bands: int) -> npt.NDArray[np.uint64]:
    """`[n, bands]` the hashes, each the eight bytes of its digits and mixed with its band's number."""
    kind = pa.binary(BAND_DIGITS * bands)
    try:
        fixed = column.cast(pa.binary()).cast(kind).combine_chunks()
    except pa.ArrowInvalid:
        raise ContractBroken("the near-duplicate index was made with other settings; refresh --rebuild") from None
    chunk = fixed.chunk(0) if isinstance(fixed, pa.ChunkedArray) else fixed
    data = np.frombuffer(chunk.buffers()[1] or b"", np.uint64)
    first = chunk.offset * bands
    return data[first : first + len(chunk) * bands].reshape(-1, bands)


def _heads(digests: pa.ChunkedArray) -> Rows:
    """Of each row the first that has its digest."""
    codes = digests.combine_chunks().dictionary_encode().indices.to_numpy()
    _, first, which = np.unique(codes, return_index=True, return_inverse=True)
    return first[which].astype(np.int64)


def _before(table: pa.Table, ids: pa.Array) -> Rows:
    """The row that each document repeated; `NONE` where it stood, `LEFT` where that one has left."""
    rows = pc.index_in(table["repeats"], value_set=ids).fill_null(LEFT).to_numpy().astype(np.int64)
    return np.where(_flags(pc.equal(table["repeats"], "")), NONE, rows)


def _flags(values: pa.Array | pa.ChunkedArray) -> Flags:
    flags: Flags = values.to_numpy(zero_copy_only=False) if isinstance(values, pa.Array) else values.to_numpy()
    return flags
