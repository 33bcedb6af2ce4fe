"""Parquet: one document a row, read in batches."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from fanno_core.documents.readers.contract import BadRow, RawDocument, Source
from fanno_core.documents.readers.fields import (
    ID_FIELDS,
    LICENCE_FIELDS,
    SOURCE_FIELDS,
    choose_text_field,
    find_field,
    row_document,
)
from fanno_core.documents.readers.opening import open_bytes
from fanno_core.errors import RowStops
from fanno_core.settings import Ingest

# Rows of web corpora run to about 10 kB, so a batch stays near 10 MB.
BATCH_ROWS = 1024


def read_parquet(source: Source, settings: Ingest) -> Iterator[RawDocument | BadRow]:
    """One document a row, numbered from 1.

    Raises:
        RowStops: `unreadable`; `bad_parquet`; `no_text_field`, also for a text column that holds no strings.
    """
    with open_bytes(source) as stream:
        try:
            yield from _documents(pq.ParquetFile(stream), settings)
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise RowStops("bad_parquet", f"Arrow cannot read it ({type(error).__name__})") from None


def _documents(file: pq.ParquetFile, settings: Ingest) -> Iterator[RawDocument | BadRow]:
    schema = file.schema_arrow
    strings = [column.name for column in schema if _holds_strings(column.type)]
    text = choose_text_field(schema.names, strings, settings.text_field)
    carried = [find_field(schema.names, wanted) for wanted in (ID_FIELDS, SOURCE_FIELDS, LICENCE_FIELDS)]
    columns = sorted({text, *carried} - {""})
    number = 0
    for batch in file.iter_batches(BATCH_ROWS, columns=columns):
        values = [_values(batch.column(batch.schema.names.index(name))) for name in columns]
        for row in zip(*values, strict=True):
            number += 1
            fields = dict(zip(columns, row, strict=True))
            if isinstance(fields[text], bytes):
                yield BadRow("not_utf8", f"row {number}")
            else:
                yield row_document(fields, text, f"row {number}")


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
