"""Rows for the page: columns of some hundred rows at a time, so that the browser unpacks them without a stall."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import orjson

from fanno_core.report.table import ReportRow, SourceDocument

CHUNK_ROWS = 200
"""About 0.5 MB of JSON: 5 ms to unpack, measured in Chromium on a shared core."""
DIGITS = 4
"""Decimals of probabilities and cosines."""


def packed_rows(rows: Sequence[ReportRow]) -> list[str]:
    """Chunks of rows; documents are named by their ids."""
    columns = {f.name: [_plain(getattr(row, f.name)) for row in rows] for f in fields(ReportRow)}
    return _chunks(columns, len(rows))


def packed_documents(rows: Sequence[ReportRow]) -> list[str]:
    """Chunks of every document that a row names, each once, in the order of their ids."""
    named = {each.id: each for row in rows for each in (*row.retrieved, row.document)}
    documents = [named[name] for name in sorted(named)]
    columns = {f.name: [_plain(getattr(each, f.name)) for each in documents] for f in fields(SourceDocument)}
    return _chunks(columns, len(documents))


def packed(value: Any) -> str:
    """Base64 of gzipped JSON; the same value gives the same text."""
    return base64.b64encode(gzip.compress(orjson.dumps(value), mtime=0)).decode()


def _plain(value: Any) -> Any:
    if isinstance(value, SourceDocument):
        return value.id
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return round(value, DIGITS) if isinstance(value, float) else value


def _chunks(columns: dict[str, list[Any]], count: int) -> list[str]:
    return [
        packed({name: values[start : start + CHUNK_ROWS] for name, values in columns.items()})
        for start in range(0, count, CHUNK_ROWS)
    ]
