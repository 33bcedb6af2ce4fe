"""The rows of a file with fields, format by format. Where one cannot be read, none is given: `RowStops` says why."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from types import MappingProxyType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from fanno_core.documents.readers.contract import Source
from fanno_core.documents.readers.fields import find_field
from fanno_core.documents.readers.opening import lines_of, open_text, read_text
from fanno_core.errors import RowStops

DELIMITERS = ",;\t|"

Row = Mapping[str, Any]
Reader = Callable[[Source, Sequence[str]], Iterator[Row]]


def rows_of_file(source: Source, fields: Sequence[str]) -> Iterator[Row]:
    """The rows of a file in their order; a line of plain text is a row of the one field that comes first.

    Args:
        source: the file.
        fields: names of the fields that are wanted; others may be left out.

    Raises:
        RowStops: the file or one of its rows cannot be read; without any of its text.
    """
    if source.format not in READERS:
        raise RowStops("unknown_format", "name a .txt, .jsonl, .json, .csv, .tsv or .parquet file")
    return READERS[source.format](source, fields)


def _lines(source: Source, fields: Sequence[str]) -> Iterator[Row]:
    with open_text(source) as stream:
        yield from ({fields[0]: line} for line in lines_of(stream))


def _json_lines(source: Source, _fields: Sequence[str]) -> Iterator[Row]:
    with open_text(source) as stream:
        for number, line in enumerate(lines_of(stream), 1):
            if line.strip():
                yield _object(_parsed(line, f"line {number}"), f"line {number}")


def _json(source: Source, fields: Sequence[str]) -> Iterator[Row]:
    """A list of objects, or an object a line, which many call JSON too."""
    try:
        value = _parsed(read_text(source), "the file")
    except RowStops as error:
        if error.reason != "bad_json":
            raise
        yield from _json_lines(source, fields)
        return
    items = value if isinstance(value, list) else [value]
    yield from (_object(item, f"item {number}") for number, item in enumerate(items, 1))


def _csv(source: Source, _fields: Sequence[str]) -> Iterator[Row]:
    with open_text(source) as stream:
        lines = lines_of(stream)
        header = next(lines, "")
        delimiter = max(DELIMITERS, key=header.count)
        try:
            for number, row in enumerate(csv.DictReader(chain([header], lines), delimiter=delimiter, strict=True), 1):
                # One more value than names: a delimiter stands unquoted in a text, which would be cut there.
                if None in row or None in row.values():
                    raise RowStops("bad_csv", f"row {number}: not as many values as the header has names")
                yield row
        except csv.Error:
            raise RowStops(
                "bad_csv", "a quote is not closed, text follows a closed one, or a value is too long"
            ) from None


def _parquet(source: Source, fields: Sequence[str]) -> Iterator[Row]:
    try:
        file = pq.ParquetFile(source.path)
        columns = [name for name in file.schema_arrow.names if find_field((name,), fields)]
        for batch in file.iter_batches(columns=columns or None):
            yield from batch.to_pylist()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise RowStops("bad_parquet", f"it cannot be read ({type(error).__name__})") from None


READERS: Mapping[str, Reader] = MappingProxyType(
    {
        "txt": _lines,
        "md": _lines,
        "jsonl": _json_lines,
        "json": _json,
        "csv": _csv,
        "tsv": _csv,
        "parquet": _parquet,
    }
)


def _parsed(text: str, place: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise RowStops("bad_json", f"{place} is not JSON") from None


def _object(value: Any, place: str) -> Row:
    if not isinstance(value, dict):
        raise RowStops("bad_json", f"{place} is not a JSON object; a file of plain lines is called .txt")
    return value
