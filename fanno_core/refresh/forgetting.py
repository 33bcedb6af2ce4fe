"""What a document takes with it: the ids, table by table, of every row that was made from it, or leant on it.

The nightly refresh asks for documents that were withdrawn, `fanno forget` for those that it is given. Only columns of
ids are looked at, whole columns at a time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from fanno_core.settings import Refresh

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "instructions": ("id", "document_id", "counterexamples"),
    "examples": ("id", "document_id", "retrieved", "counterexamples"),
}
"""What `closure` has to see of a table; a table in parts, `instructions.augment`, is seen part by part."""
OF_DOCUMENTS = frozenset(
    {"unruled", "ruled", "masked", "screened", "vectors", "neighbours", "members", "seeded", "placed", "sketches"}
)
"""Tables whose keys are ids of segments."""
OF_INSTRUCTIONS = frozenset({"instructions", "questions", "bandit"})

Ids = frozenset[str]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Gone:
    """Ids of what goes with some segments.

    Attributes:
        segments: the segments.
        instructions: those that were written from them; where it is strict, those that were shown one of these, too.
        written: rows of the data set that answer one of these instructions and were written from the segments.
        leaning: rows whose response leant on too many of the segments; their instructions stay.
        shown: rows whose instruction was only shown one of the segments' instructions.
        quoting, rejections: rows of the data set, and rejections, that go since they repeat a passage; only where that
            was looked for.
        names: sources and own ids that go with the segments, since nothing else is called so.
    """

    segments: Ids
    instructions: Ids
    written: Ids
    leaning: Ids
    shown: Ids
    quoting: Ids = frozenset()
    rejections: Ids = frozenset()
    names: Ids = frozenset()

    @cached_property
    def rows(self) -> Ids:
        """Every row of the data set that goes."""
        return self.written | self.leaning | self.shown | self.quoting

    def of(self, table: str) -> Ids:
        """Keys of the rows that leave a table, as `carry` takes them: of rejections also ids of documents."""
        root = table.partition(".")[0]
        if root in OF_DOCUMENTS:
            return self.segments
        if root in OF_INSTRUCTIONS:
            return self.instructions
        if root == "examples":
            return self.rows
        if root == "rejected":
            return self.segments | self.instructions | self.rejections
        return self.segments | self.instructions if root == "waiting" else frozenset()

    @property
    def counts(self) -> dict[str, int]:
        """How many of each kind."""
        return {
            "segments": len(self.segments),
            "instructions": len(self.instructions),
            "rows": len(self.rows),
            "rows_written_from_it": len(self.written),
            "rows_that_retrieved_it": len(self.leaning),
            "rows_shown_an_instruction_of_it": len(self.shown),
            "rows_that_quote_it": len(self.quoting),
        }


def closure(tables: Mapping[str, pa.Table], gone_segments: Collection[str], settings: Refresh) -> Gone:
    """Everything that goes with these segments.

    Args:
        tables: name to at least the columns of `COLUMNS`; tables of other names are not looked at.
        gone_segments: ids of segments.
        settings: `max_withdrawn_context` and `strict`.
    """
    segments = frozenset(gone_segments)
    own = frozenset(_written_from(_parts(tables, "instructions"), segments))
    shown = frozenset(_shown(_parts(tables, "instructions"), own)) - own if settings.strict else frozenset()
    examples = list(_parts(tables, "examples"))
    written = frozenset(_written_from(examples, segments)) | _answering(examples, own)
    by_example = frozenset(_shown(examples, own)) | _answering(examples, shown) if settings.strict else frozenset()
    leaning = frozenset(_leaning(examples, segments, settings.max_withdrawn_context))
    return Gone(segments, own | shown, written, leaning - written, by_example - written - leaning)


def _parts(tables: Mapping[str, pa.Table], root: str) -> Iterator[pa.Table]:
    return (table for name, table in tables.items() if name.partition(".")[0] == root)


def _written_from(tables: Iterable[pa.Table], segments: Ids) -> Iterator[str]:
    for table in tables:
        yield from _ids(table, is_in(table.column("document_id"), segments))


def _answering(tables: Iterable[pa.Table], instructions: Ids) -> Ids:
    return frozenset(name for table in tables for name in _ids(table, is_in(table.column("id"), instructions)))


def _shown(tables: Iterable[pa.Table], instructions: Ids) -> Iterator[str]:
    for table in tables:
        yield from _ids(table, _shares(table.column("counterexamples"), instructions) > 0)


def _leaning(tables: Iterable[pa.Table], segments: Ids, most: float) -> Iterator[str]:
    for table in tables:
        yield from _ids(table, _shares(table.column("retrieved"), segments) > most)


def _shares(lists: pa.ChunkedArray, wanted: Ids) -> npt.NDArray[np.float64]:
    """`[n]` which share of each list's ids is wanted; 0 for an empty list."""
    lists = lists.combine_chunks()
    rows = pc.list_parent_indices(lists).to_numpy()
    hits = np.bincount(rows, weights=is_in(pc.list_flatten(lists), wanted), minlength=len(lists))
    return np.asarray(hits / np.maximum(np.bincount(rows, minlength=len(lists)), 1))


def holds_any(lists: pa.ChunkedArray, wanted: Ids) -> Mask:
    """`[n]` which of these lists hold a wanted id."""
    return _shares(lists, wanted) > 0


def holds_only(lists: pa.ChunkedArray, wanted: Ids) -> Mask:
    """`[n]` which of these lists hold nothing but wanted ids; an empty one does."""
    lengths = np.asarray(pc.list_value_length(lists))
    return np.asarray((_shares(lists, wanted) == 1) | (lengths == 0))


def whole_origins(origins: pa.Table, gone: Gone) -> Mask:
    """`[n]` which documents, rows of `Origin`, go as a whole: in the corpus they stand, but nothing of them here."""
    segments, repeats = origins.column("segments"), origins.column("repeats")
    some = holds_any(segments, gone.segments) | holds_any(repeats, gone.segments)
    whole = some & holds_only(segments, gone.segments) & holds_only(repeats, gone.segments)
    return whole | is_in(origins.column("file"), gone.names)


def is_in(values: pa.Array | pa.ChunkedArray, wanted: Ids) -> Mask:
    """`[n]` which of these strings are wanted."""
    return np.asarray(pc.is_in(values, pa.array(sorted(wanted), pa.string())))


def _ids(table: pa.Table, mask: Mask) -> list[str]:
    return list(table.column("id").filter(pa.array(mask)).to_pylist())
