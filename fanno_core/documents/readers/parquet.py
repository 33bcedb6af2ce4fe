"""Parquet: one document a row, read in batches."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from fanno_core.documents.readers.contract import BadRow, RawDocument, Source
from fanno_core.documents.readers.fields import (
    ID_FIELDS,
    LICENCE_FIELDS,
    MOST_FIELDS,
    SOURCE_FIELDS,
    choose_text_field,
    find_field,
    row_document,
)
from fanno_core.documents.readers.opening import HARMLESS_BYTES, LARGEST_RATIO, open_bytes
from fanno_core.errors import RowStops
from fanno_core.settings import Ingest

BATCH_ROWS = 1024
# No cell is larger than its row group, so a batch of so many groups fits in memory even where every row of it repeats
# one cell of the dictionary. Small batches cost little: 0.1 ms each.
BATCH_BYTES = 256 * 2**20


def read_parquet(source: Source, settings: Ingest) -> Iterator[RawDocument | BadRow]:
    """One document a row, numbered from 1.

    Raises:
        RowStops: `unreadable`; `bad_parquet`; `too_many_fields`; `bomb`; `no_text_field`, also for a text column
            that holds no strings.
    """
    with open_bytes(source) as stream:
        file = _opened(stream)
        columns, text = _columns(file.schema_arrow, settings)
        left = max(HARMLESS_BYTES, LARGEST_RATIO * os.fstat(stream.fileno()).st_size)
        for number, fields in enumerate(_rows(file, columns), 1):
            value = fields[text]
            if isinstance(value, str | bytes):
                left -= len(value)
            if left < 0:
                raise RowStops("bomb", f"column {text} unpacks to more than {LARGEST_RATIO} times the file's size")
            if isinstance(value, bytes):
                yield BadRow("not_utf8", f"row {number}", f"column {text}")
            else:
                yield row_document(fields, text, f"row {number}")


def _opened(stream: io.BufferedReader) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(stream, page_checksum_verification=True)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise RowStops("bad_parquet", f"its footer cannot be read ({type(error).__name__})") from None


def _columns(schema: pa.Schema, settings: Ingest) -> tuple[list[str], str]:
    """The columns to read, and which of them holds the text; those that are carried hold labels or numbers."""
    if len(schema) > MOST_FIELDS:
        raise RowStops("too_many_fields", f"it has more than {MOST_FIELDS:,} columns")
    strings = [column.name for column in schema if _holds_strings(column.type)]
    numbers = [c.name for c in schema if pa.types.is_integer(c.type) or pa.types.is_floating(c.type)]
    text = choose_text_field([f"{c.name} ({c.type})" for c in schema], strings, settings.text_field)
    carried = [find_field(strings + numbers, wanted) for wanted in (ID_FIELDS, SOURCE_FIELDS, LICENCE_FIELDS)]
    return sorted({text, *carried} - {""}), text


def _rows(file: pq.ParquetFile, columns: list[str]) -> Iterator[dict[str, object]]:
    try:
        for batch in file.iter_batches(_batch_rows(file.metadata), columns=columns):
            values = [_values(batch.column(batch.schema.names.index(name))) for name in columns]
            for row in zip(*values, strict=True):
                yield dict(zip(columns, row, strict=True))
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        names = ", ".join(name[:40] for name in columns)
        raise RowStops("bad_parquet", f"columns {names} cannot be read ({type(error).__name__})") from None


def _batch_rows(metadata: pq.FileMetaData) -> int:
    """How many rows may be read at once.

    By the sizes of row groups: of a damaged file pyarrow cannot tell those of columns without ending the process.
    """
    largest = max((metadata.row_group(number).total_byte_size for number in range(metadata.num_row_groups)), default=1)
    return max(1, min(BATCH_ROWS, BATCH_BYTES // max(1, largest)))


def _holds_strings(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _values(column: pa.Array) -> list[object]:
    """Python values; a string that is not UTF-8 stays bytes."""
    if not _holds_strings(column.type):
        values: list[object] = column.to_pylist()
        return values
    strings = column.cast(pa.large_string())
    try:
        strings.validate(full=True)
    except pa.ArrowInvalid:
        return [_decoded(value) for value in strings.cast(pa.large_binary()).to_pylist()]
    texts: list[object] = strings.to_pylist()
    return texts


def _decoded(value: bytes | None) -> str | bytes | None:
    try:
        return value.decode() if value is not None else None
    except UnicodeDecodeError:
        return value
