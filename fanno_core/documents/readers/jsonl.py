"""JSON: one object a line, or one list of objects."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from fanno_core.documents.readers.contract import BadRow, RawDocument, Source
from fanno_core.documents.readers.fields import (
    MOST_FIELDS,
    TEXT_FIELDS,
    choose_text_field,
    find_field,
    row_document,
)
from fanno_core.documents.readers.opening import lines_of, open_text, read_text
from fanno_core.errors import RowStops
from fanno_core.settings import Ingest

Row = dict[str, Any] | BadRow
Rows = Callable[[], Iterator[tuple[str, Row]]]


def read_json_lines(source: Source, settings: Ingest) -> Iterator[RawDocument | BadRow]:
    """One document a line; rows are numbered by line, from 1."""
    return _documents(lambda: _lines(source), settings)


def read_json(source: Source, settings: Ingest) -> Iterator[RawDocument | BadRow]:
    """One document an item of the file's list, numbered from 1; or as `read_json_lines`.

    Raises:
        RowStops: as `read_text`; `bad_json`; `no_text_field`.
    """
    text = read_text(source)
    try:
        value = _parsed(text)
    except ValueError:
        first = text.lstrip().partition("\n")[0]
        if first and not isinstance(_object(first), dict):
            raise RowStops("bad_json", "neither one JSON value nor one JSON object a line") from None
        return read_json_lines(source, settings)
    items = value if isinstance(value, list) else [value]
    return _documents(lambda: ((f"row {n}", _row(item, f"row {n}")) for n, item in enumerate(items, 1)), settings)


def _documents(rows: Rows, settings: Ingest) -> Iterator[RawDocument | BadRow]:
    wanted = _text_fields(rows, settings.text_field)
    for location, row in rows():
        yield row if isinstance(row, BadRow) else row_document(row, find_field(row, wanted), location)


def _text_fields(rows: Rows, named: str) -> Sequence[str]:
    """The names by which rows may hold their text.

    Every row may have other fields, so the choice looks at all of them rather than at the first, and the
    order of rows cannot change it. Usually the first row settles it.
    """
    wanted = (named,) if named else TEXT_FIELDS
    holds_string: dict[str, bool] = {}
    for _, row in rows():
        if isinstance(row, BadRow):
            continue
        if find_field(row, wanted):
            return wanted
        for name, value in row.items():
            holds_string[name] = holds_string.get(name, False) or isinstance(value, str)
    if not holds_string:
        return wanted
    names = sorted(holds_string)
    return (choose_text_field(names, [name for name in names if holds_string[name]], named),)


def _lines(source: Source) -> Iterator[tuple[str, Row]]:
    # Bytes that are not UTF-8 become surrogates, so that they spoil their own line only.
    with open_text(source, errors="surrogateescape") as stream:
        for number, line in enumerate(lines_of(stream), 1):
            if line.strip():
                yield f"row {number}", _line(line, f"row {number}")


def _line(line: str, location: str) -> Row:
    try:
        line.encode()
    except UnicodeEncodeError:
        return BadRow("not_utf8", location)
    return _row(_object(line), location)


def _row(value: object, location: str) -> Row:
    if not isinstance(value, dict):
        return BadRow("bad_json", location, "not a JSON object")
    return value if len(value) <= MOST_FIELDS else BadRow("too_many_fields", location, f"more than {MOST_FIELDS:,}")


def _object(line: str) -> object:
    try:
        return _parsed(line)
    except ValueError:
        return None


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
