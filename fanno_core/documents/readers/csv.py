"""Tables of separated values: a header, then one document a record."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import chain

from fanno_core.documents.readers.contract import BadRow, RawDocument, Source
from fanno_core.documents.readers.fields import MOST_FIELDS, choose_text_field, row_document
from fanno_core.documents.readers.opening import LIMIT_CHARS, lines_of, open_text
from fanno_core.errors import RowStops
from fanno_core.settings import Ingest

DELIMITERS = ",;\t|"


def read_csv(source: Source, settings: Ingest) -> Iterator[RawDocument | BadRow]:
    """One document a record, numbered from 1 after the header.

    The delimiter is whichever of `DELIMITERS` the header holds most often; a comma where it holds none.

    Raises:
        RowStops: as `open_text`; `bad_csv` for an unreadable header; `too_many_fields`;
            `no_text_field`.
    """
    # The default of 131,072 refuses ordinary documents; the limit is the process's, and only ever raised.
    csv.field_size_limit(max(csv.field_size_limit(), LIMIT_CHARS))
    with open_text(source) as stream:
        records = _records(lines_of(stream))
        header = next(records, [])
        if header is None:
            raise RowStops("bad_csv", "the header cannot be read")
        if not header:
            return
        if len(header) > MOST_FIELDS:
            raise RowStops("too_many_fields", f"its header names more than {MOST_FIELDS:,}")
        header = [name.strip() for name in header]
        field = choose_text_field(header, header, settings.text_field)
        for number, record in enumerate(records, 1):
            yield _document(header, record, field, f"row {number}")


def _document(header: list[str], record: list[str] | None, field: str, location: str) -> RawDocument | BadRow:
    if record is None:
        return BadRow("bad_csv", location, "a quote is not closed, or text follows a closed one")
    if len(record) != len(header):
        return BadRow("bad_csv", location, f"{len(record)} values, but the header names {len(header)}")
    return row_document(dict(zip(header, record, strict=True)), field, location)


def _records(lines: Iterator[str]) -> Iterator[list[str] | None]:
    """Every record but blank lines; None for one that cannot be parsed."""
    first = next(lines, "")
    reader = csv.reader(chain([first], lines), delimiter=max(DELIMITERS, key=first.count), strict=True)
    while True:
        try:
            record = next(reader, None)
        except csv.Error:
            yield None
            continue
        if record is None:
            return
        if record:
            yield record
