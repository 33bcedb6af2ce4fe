"""The data set as the tools of the field read it: Parquet, Alpaca JSON and chat messages."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fanno_core.store.contracts import Example
from fanno_core.store.fingerprint import canonical
from fanno_core.store.tables import table_bytes, to_table

MESSAGES = pa.list_(pa.struct([pa.field("role", pa.string()), pa.field("content", pa.string())]))


def messages_of(row: Example, system: str) -> list[dict[str, str]]:
    """The row as a chat: an optional system message, the user's turn, the assistant's turn."""
    user = f"{row.instruction}\n\n{row.input}" if row.input else row.instruction
    turns = [{"role": "user", "content": user}, {"role": "assistant", "content": row.output}]
    return [{"role": "system", "content": system}, *turns] if system else turns


def parquet_bytes(rows: Sequence[Example], system: str) -> bytes:
    """Every column of the rows, and their messages."""
    return table_bytes(with_messages(to_table(rows, Example), system))


def with_messages(table: pa.Table, system: str) -> pa.Table:
    """A table of examples, and the chat of each row as `messages_of` gives it."""
    instruction, given = (table.column(name).combine_chunks() for name in ("instruction", "input"))
    user = pc.if_else(pc.equal(given, ""), instruction, pc.binary_join_element_wise(instruction, given, "\n\n"))
    turns = {"user": user, "assistant": table.column("output").combine_chunks()}
    if system:
        turns = {"system": pa.repeat(system, len(table)), **turns}
    rows, count = len(table), len(turns)
    # Turn after turn of the first row, then of the second one.
    content = pa.concat_arrays(list(turns.values())).take(np.arange(rows * count).reshape(count, rows).T.ravel())
    roles = pa.array([*turns] * rows, pa.string())
    chats = pa.StructArray.from_arrays([roles, content], fields=list(MESSAGES.value_type))
    messages = pa.ListArray.from_arrays(np.arange(0, rows * count + 1, count, dtype=np.int32), chats, type=MESSAGES)
    return table.add_column(4, pa.field("messages", MESSAGES, metadata={"meaning": "the row as a chat"}), messages)


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
    digest, names = hashlib.sha256(), [f.name for f in fields(Example)]
    for row in sorted(rows, key=lambda row: row.id):
        values = {name: getattr(row, name) for name in names}  # `asdict` copies, and takes six times as long
        digest.update(canonical({**values, "messages": messages_of(row, system)}).encode() + b"\n")
    return digest.hexdigest()


def _triple(row: Example) -> dict[str, str]:
    return {"instruction": row.instruction, "input": row.input, "output": row.output}
