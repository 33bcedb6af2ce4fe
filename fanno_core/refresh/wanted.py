"""What is to be forgotten: from the names that a person gives to segments, their copies, and every text of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from fanno_core.dataset.made import Made
from fanno_core.errors import RunStops
from fanno_core.lineage.find import SCREENING
from fanno_core.refresh.forgetting import is_in
from fanno_core.refresh.passages import Passages
from fanno_core.refresh.traces import holding

SEGMENT = re.compile(r"\b[0-9a-f]{16}\b")
COPIES = frozenset({"exact_duplicate", "near_duplicate"})
DOCUMENTS, REJECTIONS = b"Document", b"Rejection"
MOST_NAMED = 4

Ids = frozenset[str]


@dataclass(frozen=True)
class Wanted:
    """What is to be forgotten.

    Attributes:
        segments: ids of segments, those of copies among them.
        copies: segments that a screen dropped since they repeat one of the others.
        read: texts of the segments as they were read.
        passages: these, and the masked texts; windows that other documents hold, too, are marked as shared.
        others: ids of the documents that stay and hold some of the same windows.
        names: sources and own ids that no document has that stays.
    """

    segments: Ids
    copies: Ids
    read: tuple[str, ...]
    passages: Passages
    others: tuple[str, ...]
    names: Ids


class Texts:
    """Every table of documents and of rejections that a folder holds, and which of them the current run has made.

    Args:
        made: the run, or the version, that is current.
    """

    def __init__(self, made: Made) -> None:
        self._out = Path(str(made.out)).resolve()
        refs = (ref for entries in made.entries.values() for entry in entries for ref in entry.files)
        self._current = {self._out / ref.path for ref in refs}

    @cached_property
    def documents(self) -> list[tuple[bool, pa.Table]]:
        """Whether a table is current, and its rows."""
        return list(self._tables(DOCUMENTS, ["id", "text", "source", "carried_id"]))

    @cached_property
    def rejections(self) -> list[tuple[bool, pa.Table]]:
        """The same of the rejected documents; what the teacher wrote is not among them."""
        names = ["id", "phase", "reason", "detail", "document_id", "source", "text"]
        return [
            (current, table.filter(pa.array(is_in(table.column("phase"), frozenset(SCREENING)))))
            for current, table in self._tables(REJECTIONS, names)
        ]

    def _tables(self, contract: bytes, names: Sequence[str]) -> Iterator[tuple[bool, pa.Table]]:
        for path in sorted(self._out.glob("**/work/shards/*/*.parquet")):
            try:
                file = pq.ParquetFile(path)
                if (file.schema_arrow.metadata or {}).get(b"contract") == contract:
                    yield path in self._current, file.read(columns=list(names), use_threads=False)
            except (pa.ArrowException, OSError):
                continue  # searched as bytes, and named by `fanno verify`


def find_wanted(made: Made, names: Sequence[str]) -> Wanted:
    """What these names stand for.

    Args:
        made: the run, or the version, that is current.
        names: each the id of a segment, the corpus' own id of a document, or a source.

    Raises:
        RunStops: a name stands for nothing here, or for several things.
    """
    texts = Texts(made)
    named = frozenset(name for typed in names for name in _segments(texts, typed, made.out))
    copies = _copies(texts, named)
    segments = named | copies
    read = tuple(_texts(texts, segments))
    passages = Passages(read)
    others = tuple(sorted(_share(texts, segments, passages)))
    return Wanted(segments, copies, read, passages, others, _names(texts, segments))


def _segments(texts: Texts, typed: str, out: object) -> Ids:
    """The segments that one name stands for."""
    tables = [table for _, table in (*texts.documents, *texts.rejections)]
    if not typed.strip():  # documents without an id of their own have an empty one
        raise RunStops(f"nothing in {out} is called so: a name is empty; name the documents to forget")
    by_id = {*_where(tables, "id", typed), *_where(tables, "document_id", typed)} & {typed}
    if by_id:
        return frozenset(by_id)
    rows = [row for _, table in texts.documents for row in _rows(table, "carried_id", typed)]
    sources = sorted({source for _, source in rows})
    by_source = {*_where(tables, "source", typed), *_where(tables, "source", typed, "document_id")} - {""}
    if len(sources) > 1 or (sources and by_source and {name for name, _ in rows} != by_source):
        told = ", ".join(sources[:MOST_NAMED]) + (", ..." if len(sources) > MOST_NAMED else "")
        raise RunStops(f"{typed[:64]!r} names documents of several sources ({told}); name the ids of their segments")
    found = {name for name, _ in rows} or by_source
    if not found:
        raise RunStops(
            f"nothing in {out} is called {typed[:64]!r}: name a segment's id (`fanno sample --out {out} --json` tells "
            "the document of a row), the corpus' own id, or a source; what was forgotten before has no name any more"
        )
    return frozenset(found)


def _where(tables: Iterable[pa.Table], column: str, value: str, told: str = "id") -> Iterator[str]:
    """Ids in the rows whose column is this value."""
    for table in tables:
        if {column, told} <= {*table.column_names}:
            yield from table.column(told).filter(pc.equal(table.column(column), value)).to_pylist()


def _rows(table: pa.Table, column: str, value: str) -> list[tuple[str, str]]:
    chosen = table.filter(pc.equal(table.column(column), value))
    return list(zip(chosen.column("id").to_pylist(), chosen.column("source").to_pylist(), strict=True))


def _copies(texts: Texts, named: Ids) -> Ids:
    """Segments that were dropped since they repeat a named one. Once that is gone, the next night would keep them."""
    found: set[str] = set()
    for _, table in texts.rejections:
        chosen = table.filter(pa.array(is_in(table.column("reason"), COPIES)))
        for document, detail in zip(
            *(chosen.column(name).to_pylist() for name in ("document_id", "detail")), strict=True
        ):
            if document and named.intersection(SEGMENT.findall(detail)):
                found.add(document)
    return frozenset(found) - named


def _texts(texts: Texts, segments: Ids) -> list[str]:
    """Every text of the segments."""
    found: dict[str, None] = {}
    for column, tables in (("id", texts.documents), ("document_id", texts.rejections)):
        for _, table in tables:
            found |= dict.fromkeys(
                table.column("text").filter(pa.array(is_in(table.column(column), segments))).to_pylist()
            )
    return [text for text in found if text]


def _names(texts: Texts, segments: Ids) -> Ids:
    """What only these segments are called: sources and own ids."""
    own: set[str] = set()
    others: set[str] = set()
    for current, table in texts.documents:
        here = is_in(table.column("id"), segments)
        for column in ("source", "carried_id"):
            own |= {*table.column(column).filter(pa.array(here)).to_pylist()}
            if current:
                others |= {*table.column(column).filter(pa.array(~here)).to_pylist()}
    for table in (table for current, table in texts.rejections if current):
        gone = is_in(table.column("id"), segments) | is_in(table.column("document_id"), segments)
        stays = ~gone & ~_repeats(table, segments) & np.asarray(pc.not_equal(table.column("text"), ""))
        others |= {*table.column("source").filter(pa.array(stays)).to_pylist()}
    return frozenset(own - others - {""})


def _share(texts: Texts, segments: Ids, passages: Passages) -> set[str]:
    """Marks what documents that stay hold, too; their ids."""
    found: dict[str, bytes] = {}
    for column, tables in (("id", texts.documents), ("document_id", texts.rejections)):
        for current, table in tables:
            if current:
                others = table.filter(pa.array(~is_in(table.column(column), segments) & ~_repeats(table, segments)))
                values = [text.encode("utf-8", "surrogatepass") for text in others.column("text").to_pylist()]
                ids = others.column("id").to_pylist()
                found |= {ids[place]: values[place] for place in holding(values, passages)}
    for value in found.values():
        passages.share(value)
    return {*found}


def _repeats(table: pa.Table, segments: Ids) -> npt.NDArray[np.bool_]:
    """`[n]` which rejections repeat one of the segments: the same text, read at another place."""
    if "detail" not in table.column_names:
        return np.zeros(len(table), bool)
    reasons = is_in(table.column("reason"), COPIES)
    details = table.column("detail").to_pylist()
    named = [
        bool(there and segments & {*SEGMENT.findall(detail)}) for there, detail in zip(reasons, details, strict=True)
    ]
    return np.array(named, bool)
