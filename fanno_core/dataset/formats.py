"""The data set as the tools of the field read it: Parquet, Alpaca JSON and chat messages."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from fanno_core.store.contracts import Example
from fanno_core.store.fingerprint import canonical
from fanno_core.store.tables import to_table

MESSAGES = pa.list_(pa.struct([pa.field("role", pa.string()), pa.field("content", pa.string())]))


def messages_of(row: Example, system: str) -> list[dict[str, str]]:
    """The row as a chat: an optional system message, the user's turn, the assistant's turn."""
    user = f"{row.instruction}\n\n{row.input}" if row.input else row.instruction
    turns = [{"role": "user", "content": user}, {"role": "assistant", "content": row.output}]
    return [{"role": "system", "content": system}, *turns] if system else turns


def parquet_bytes(rows: Sequence[Example], system: str) -> bytes:
    """Every column of the rows, and their messages."""
    table = to_table(rows, Example)
    messages = pa.array([messages_of(row, system) for row in rows], type=MESSAGES)
    table = table.add_column(4, pa.field("messages", MESSAGES, metadata={"meaning": "the row as a chat"}), messages)
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", write_page_checksum=True, version="2.6")
    return bytes(sink.getvalue())


def alpaca_bytes(rows: Sequence[Example], system: str = "") -> bytes:
    """A JSON list of instruction, input, output and, where there is one, the system message; one row a line."""
    more = {"system": system} if system else {}
    return list_bytes({**_triple(row), **more} for row in rows)


def list_bytes(values: Iterable[Any]) -> bytes:
    """A JSON list, one value a line."""
    lines = (json.dumps(value, ensure_ascii=False) for value in values)
    return ("[\n" + ",\n".join(lines) + "\n]\n").encode()


def messages_bytes(rows: Sequence[Example], system: str) -> bytes:
    """One chat a line, as TRL and Axolotl read it."""
    return b"".join(
        json.dumps({"messages": messages_of(row, system)}, ensure_ascii=False).encode() + b"\n" for row in rows
    )


def digest_of(rows: Sequence[Example], system: str) -> str:
    """SHA-256 over the canonical JSON of each row with its messages, in the order of their ids."""
    digest = hashlib.sha256()
    for row in sorted(rows, key=lambda row: row.id):
        digest.update(canonical({**asdict(row), "messages": messages_of(row, system)}).encode() + b"\n")
    return digest.hexdigest()


def _triple(row: Example) -> dict[str, str]:
    return {"instruction": row.instruction, "input": row.input, "output": row.output}
