"""Sources to documents: read, normalise, segment, and a reason for whatever is not kept."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence

from fanno_core.documents.marks import with_few_marks
from fanno_core.documents.readers.contract import BadRow, RawDocument, Source
from fanno_core.documents.readers.table import FORMATS
from fanno_core.documents.segments import segments
from fanno_core.errors import RowStops
from fanno_core.outcome import Outcome
from fanno_core.settings import Ingest
from fanno_core.store.contracts import Document, Rejection
from fanno_core.text import normalise, stable_id

PHASE = "ingest"


def ingest(sources: Sequence[Source], settings: Ingest) -> Outcome[Document]:
    """Every segment of the sources, and a rejection for each row, file or repeated segment that is none.

    A document's id depends on its source and its text alone, so neither the order of files nor that of rows
    changes the ids. A file that cannot be read to its end is rejected as a whole.
    """
    kept: dict[str, Document] = {}
    rejected: dict[str, Rejection] = {}
    for source in sources:
        for row in _rows_or_reason(source, settings):
            for found in cut(row, source, settings):
                admitted = admit(found, source, kept, rejected)
                if isinstance(admitted, Document):
                    kept[admitted.id] = admitted
                else:
                    rejected[admitted.id] = admitted
    return Outcome(list(kept.values()), list(rejected.values()), len(kept) + len(rejected))


def rows_of(source: Source, settings: Ingest) -> Sequence[RawDocument | BadRow]:
    """What the source's reader finds: at least one row.

    Raises:
        RowStops: the file cannot be read to its end.
    """
    try:
        return list(FORMATS[source.format].read(source, settings)) or [BadRow("empty", "", "holds no rows")]
    except RecursionError:
        raise RowStops("too_deep", "its markup is nested too deeply") from None


def cut(row: RawDocument | BadRow, source: Source, settings: Ingest) -> Iterator[Document | BadRow]:
    """The segments of a row, or the one reason why it has none."""
    if isinstance(row, BadRow):
        yield row
        return
    pieces = segments(normalise(with_few_marks(row.text)), settings.segment_chars, settings.segment_min_chars)
    if not pieces:
        yield BadRow("empty", row.location, "holds white space only, or nothing but markup")
    name = _label(row.source) or source.name
    for number, text in enumerate(pieces):
        yield Document(
            id=stable_id(name, text),
            text=text,
            source=name,
            location=f"{row.location}, segment {number}".removeprefix(", "),
            carried_id=_label(row.carried_id),
            licence=_label(row.licence or source.licence),
        )


def admit(
    found: Document | BadRow, source: Source, kept: Container[str], rejected: Container[str]
) -> Document | Rejection:
    """The segment, or why it is not kept.

    Args:
        found: a segment or a bad row.
        source: where it was read.
        kept: ids of the segments that were kept before it.
        rejected: ids of the rejections before it: each gets an id of its own, also where two files have the same name.
    """
    if isinstance(found, BadRow):
        return _rejection(found, source, rejected)
    if found.id in kept:
        return _rejection(BadRow("exact_duplicate", found.location, found.id), source, rejected, found.text)
    return found


def _rows_or_reason(source: Source, settings: Ingest) -> Sequence[RawDocument | BadRow]:
    """The rows of the source, or one bad row where it cannot be read."""
    try:
        return rows_of(source, settings)
    except RowStops as stop:
        return [BadRow(stop.reason, "", str(stop))]


def _rejection(row: BadRow, source: Source, rejected: Container[str], text: str = "") -> Rejection:
    row_id, copies = stable_id(source.name, row.location), 0
    while row_id in rejected:
        copies += 1
        row_id = stable_id(source.name, row.location, str(copies))
    detail = _label(": ".join(filter(None, [row.location, row.detail])))
    return Rejection(row_id, PHASE, row.reason, detail, source=source.name, text=text)


def _label(value: str) -> str:
    """The value on one line, fit to be written."""
    return " ".join(normalise(value).split())
