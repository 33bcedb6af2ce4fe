"""Rows of a contract to Parquet bytes and back; the same rows always give the same bytes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from fanno_core.errors import ContractBroken, ShardDamaged
from fanno_core.store.contracts import Floats, Rejection, key_of, schema_of

Row = TypeVar("Row")


def to_parquet(rows: Sequence[Any], contract: type) -> bytes:
    """Parquet bytes of rows, sorted by key, with page checksums.

    Raises:
        ContractBroken: a value has the wrong type or is null, or a key stands twice.
    """
    return table_bytes(to_table(sorted_rows(rows, contract), contract))


def table_bytes(table: pa.Table) -> bytes:
    """Parquet bytes of a table as it stands, with page checksums."""
    sink = pa.BufferOutputStream()
    # No number of a vector comes twice: with a dictionary of them files are half as large again, and take longer.
    words = [_path(f) for f in table.schema if not (_is_list(f) and pa.types.is_floating(f.type.value_type))]
    pq.write_table(table, sink, compression="zstd", use_dictionary=words, write_page_checksum=True, version="2.6")
    return bytes(sink.getvalue())


def _path(field: pa.Field) -> str:
    """What Parquet calls the column of a field."""
    return f"{field.name}.list.element" if _is_list(field) else str(field.name)


def _is_list(field: pa.Field) -> bool:
    return bool(pa.types.is_list(field.type))


def to_table(rows: Sequence[Any], contract: type) -> pa.Table:
    """An Arrow table of rows in their order.

    Raises:
        ContractBroken: a value has the wrong type or is null.
    """
    schema = schema_of(contract)
    try:
        columns = [pa.array([getattr(row, f.name) for row in rows], type=f.type) for f in schema]
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise ContractBroken(f"rows do not fit contract {contract.__name__}: {type(error).__name__}") from None
    for f, values in zip(schema, columns, strict=True):
        if values.null_count:
            raise ContractBroken(f"column {f.name} of {contract.__name__} holds a null")
    return pa.Table.from_arrays(columns, schema=schema)


def sorted_rows(rows: Sequence[Row], contract: type[Row]) -> list[Row]:
    """Rows in the order of their key. Rejections may share an id: they are sorted by every column.

    Raises:
        ContractBroken: a key stands twice.
    """
    if contract is Rejection:
        return sorted(rows, key=lambda row: tuple(getattr(row, f.name) for f in fields(Rejection)))
    key = key_of(contract)
    ordered = sorted(rows, key=lambda row: getattr(row, key))
    for before, after in pairwise(ordered):
        if getattr(before, key) == getattr(after, key):
            raise ContractBroken(f"{contract.__name__} {getattr(after, key)} stands twice")
    return ordered


def sorted_table(table: pa.Table, contract: type[Any]) -> pa.Table:
    """The table in the order of `sorted_rows`: strings are compared as UTF-8, whose order is that of code points."""
    names = table.column_names if contract is Rejection else [key_of(contract)]
    return table.sort_by([(name, "ascending") for name in names]).combine_chunks()


def from_parquet(data: bytes, contract: Callable[..., Row], name: str) -> list[Row]:
    """The rows of a Parquet file.

    Args:
        data: the file's bytes.
        contract: what it must hold.
        name: what to call the file in an error.

    Raises:
        ShardDamaged: the bytes are no whole Parquet file of this contract.
    """
    return rows_of(checked_table(data, contract, name), contract)


def checked_table(data: bytes, contract: Callable[..., Any], name: str) -> pa.Table:
    """The table of a Parquet file that must hold a contract's rows; arguments and errors as of `from_parquet`."""
    try:
        table = read_table(data)
        table.validate(full=True)
    except (pa.ArrowException, OSError, UnicodeDecodeError):
        raise ShardDamaged(f"{name} is damaged: it cannot be read as Parquet") from None
    if not table.schema.equals(schema_of(contract)):
        raise ShardDamaged(f"{name} does not hold the columns of {contract.__name__}")
    # With what Parquet has added to the schema, the same rows would be written as other bytes.
    return pa.Table.from_arrays(table.columns, schema=schema_of(contract))


def read_table(data: bytes, columns: Sequence[str] | None = None) -> pa.Table:
    """The table of a Parquet file, its page checksums verified; of all its columns, or of some.

    Raises:
        pyarrow.ArrowException, OSError: the bytes are no whole Parquet file.
    """
    # Not `pq.read_table`: it leaves work to Arrow's threads, which may end a process that ends soon after
    # ("terminate called without an active exception").
    file = pq.ParquetFile(pa.BufferReader(data), page_checksum_verification=True)
    return file.read(columns=columns, use_threads=False)


def rows_of(table: pa.Table, contract: Callable[..., Row]) -> list[Row]:
    """The rows of a table whose columns are those of a contract, in their order."""
    columns = [_values(table.column(f.name), f.type) for f in table.schema]
    return [contract(*values) for values in zip(*columns, strict=True)]


def _values(column: pa.ChunkedArray, kind: pa.DataType) -> list[Any]:
    if kind == pa.list_(pa.float32()):
        return _vectors(column)
    values = column.to_pylist()
    return [tuple(v) for v in values] if pa.types.is_list(kind) else values


def _vectors(column: pa.ChunkedArray) -> list[Floats]:
    # One flat array cut by offsets: a Python float for each number would cost 30 times the memory.
    return (
        [
            np.asarray(row)
            for chunk in column.chunks
            for row in np.split(chunk.flatten().to_numpy(), (chunk.offsets.to_numpy() - chunk.offsets[0].as_py())[1:-1])
        ]
        if len(column)
        else []
    )
