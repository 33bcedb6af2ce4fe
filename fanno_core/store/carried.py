"""Tables that a version carries to the next night, in partitions by key, so that a night pays for the rows it changes.

A shard holds one partition and is named after its bytes: `OUT/work/shards/TABLE/SHA16-NNNN-of-MMMM.parquet`. Versions
share the shards that did not change. Rows stay in Arrow: only those that are new, or looked up, become objects.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fanno_core.errors import ShardDamaged
from fanno_core.store.contracts import Rejection, key_of, schema_of
from fanno_core.store.durable import each, sha256_of, write_all_durably
from fanno_core.store.ledger import FileRef, Store
from fanno_core.store.tables import checked_table, rows_of, sorted_rows, sorted_table, table_bytes, to_table

ROWS = 256
"""Rows of a partition; twice as many, or a quarter, on the average, and the table is dealt anew."""
MOST_PARTITIONS = 4_096
PLACES = 1 << 16
"""Places of a key: its first four hex digits. A partition is a run of them, so partitions follow the keys' order."""
LABEL = re.compile(r"(\d{4})-of-(\d{4})")


def carry(
    store: Store, table: str, refs: Sequence[FileRef], contract: type, gone: Collection[str], new: Sequence[Any]
) -> tuple[FileRef, ...]:
    """The table without the rows that are gone and with the new ones; partitions that neither touches stay as they are.

    Args:
        store: where the shards lie.
        table: its name.
        refs: the table as it was; none for a new table.
        contract: what its rows are.
        gone: keys of rows; of rejections, ids of rows or of documents. Keys that the table does not hold do no harm.
        new: rows; one with the key of an old row replaces it. Rejections, which have no key, are added.

    Raises:
        ContractBroken: a new row does not fit, or a key stands twice among the new ones.
        ShardDamaged: a shard is missing or damaged.
    """
    parts, gone = _Parts(store, refs, contract), {*gone}
    coming = _deal(to_table(sorted_rows(new, contract), contract), parts.count, contract)
    leaving = gone if contract is Rejection else gone | {getattr(row, key_of(contract)) for row in new}
    touched = sorted(parts.holding(gone) | coming.keys())
    merged = each(store.out, lambda n: _merge(parts.table(n), leaving, coming.get(n), contract), touched)
    changed = {
        number: rows
        for number, rows in zip(touched, merged, strict=True)
        if number in coming or len(rows) != parts.refs[number].rows
    }
    kept = {number: ref for number, ref in parts.refs.items() if number not in changed}
    count = _count_for(sum(ref.rows for ref in kept.values()) + sum(map(len, changed.values())), parts.count)
    if count != parts.count:
        everything = pa.concat_tables(
            [schema_of(contract).empty_table(), *changed.values(), *each(store.out, parts.table, kept)]
        )
        changed, kept = _deal(everything, count, contract), {}
    written = _write(store, table, changed, count)
    return tuple((kept | written)[number] for number in sorted(kept | written))


def look_up(store: Store, refs: Sequence[FileRef], contract: type, ids: Collection[str]) -> list[Any]:
    """The rows with these keys, by partition and then by key; of rejections, those that `carry` would let go.

    Raises:
        ShardDamaged: a shard is missing or damaged.
    """
    parts, ids = _Parts(store, refs, contract), {*ids}
    tables = each(store.out, parts.table, sorted(parts.holding(ids)))
    return [row for table in tables for row in rows_of(table.filter(_is_named(table, ids, contract)), contract)]


def differing(
    store: Store, before: Sequence[FileRef], after: Sequence[FileRef], contract: type
) -> tuple[list[Any], list[Any]]:
    """The rows before and after of the partitions that differ; all other rows are the same in both tables.

    Raises:
        ShardDamaged: a shard is missing or damaged.
    """
    common = {(ref.sha256, ref.label) for ref in before} & {(ref.sha256, ref.label) for ref in after}
    old, new = ([ref for ref in refs if (ref.sha256, ref.label) not in common] for refs in (before, after))
    return rows_of(store.table(old, contract), contract), rows_of(store.table(new, contract), contract)


def read_columns(store: Store, refs: Sequence[FileRef], contract: type, names: Sequence[str]) -> pa.Table:
    """These columns of all rows, by partition and then by key; for passes over a whole table that stay in Arrow.

    Raises:
        ShardDamaged: a shard is missing or damaged.
    """
    parts, schema = _Parts(store, refs, contract), schema_of(contract)
    empty = pa.schema([schema.field(name) for name in names]).empty_table()
    return pa.concat_tables([empty, *each(store.out, lambda n: parts.table(n).select(names), sorted(parts.refs))])


class _Parts:
    """A table's partitions, as its shards' labels name them."""

    def __init__(self, store: Store, refs: Iterable[FileRef], contract: type) -> None:
        self.store, self.contract, self.count = store, contract, 1
        self.refs: dict[int, FileRef] = {}
        for ref in refs:
            found = LABEL.fullmatch(ref.label)
            if not found:
                raise ShardDamaged(f"{ref.path} is no partition of a carried table: its label says {ref.label[:40]!r}")
            self.refs[int(found[1])], self.count = ref, int(found[2])

    def table(self, number: int) -> pa.Table:
        """The rows of a partition."""
        if number not in self.refs:
            return schema_of(self.contract).empty_table()
        ref = self.refs[number]
        return checked_table(self.store.bytes_of(ref), self.contract, ref.path)

    def holding(self, keys: Collection[str]) -> set[int]:
        """Numbers of the partitions that may hold rows with these keys."""
        found = {_place(key) * self.count // PLACES for key in keys} & self.refs.keys()
        if self.contract is not Rejection or not keys:
            return found
        # A rejection lies where its document's id says; where only its own id is named, all ids are looked through.
        others = sorted(self.refs.keys() - found)
        named = each(self.store.out, lambda n: pc.any(_is_named(self.table(n), keys, Rejection)).as_py(), others)
        return found | {number for number, holds in zip(others, named, strict=True) if holds}


def _place(key: str) -> int:
    """A key's place, in [0, 65536): its first four hex digits, or those of its digest where it does not begin so."""
    first = key[:4]
    if not re.fullmatch("[0-9a-f]{4}", first):
        first = hashlib.sha256(key.encode()).hexdigest()[:4]
    return int(first, 16)


def _keys(table: pa.Table, contract: type) -> pa.ChunkedArray:
    """The column that says where rows lie: the key; of a rejection its document's id, or its own where it has none."""
    if contract is not Rejection:
        return table.column(key_of(contract))
    documents = table.column("document_id")
    return pc.if_else(pc.equal(documents, ""), table.column("id"), documents)


def _is_named(table: pa.Table, keys: Collection[str], contract: type) -> pa.ChunkedArray:
    """For each row whether it has one of these keys."""
    wanted = pa.array(sorted(keys), pa.string())
    named = pc.is_in(table.column(key_of(contract)), wanted)
    return pc.or_(named, pc.is_in(_keys(table, contract), wanted)) if contract is Rejection else named


def _merge(table: pa.Table, leaving: Collection[str], coming: pa.Table | None, contract: type) -> pa.Table:
    """A partition's rows without those that leave, with those that come, in order."""
    staying = table.filter(pc.invert(_is_named(table, leaving, contract)))
    return staying if coming is None else sorted_table(pa.concat_tables([staying, coming]), contract)


def _deal(table: pa.Table, count: int, contract: type) -> dict[int, pa.Table]:
    """Number of a partition to its rows in order; none without rows."""
    if not len(table):
        return {}
    table = sorted_table(table, contract)
    places = np.fromiter(map(_place, _keys(table, contract).to_pylist()), np.int64, len(table))
    numbers = places * count // PLACES
    order = np.argsort(numbers, kind="stable")
    dealt, starts = np.unique(numbers[order], return_index=True)
    table, ends = table.take(order), [*starts[1:], len(table)]
    return {
        int(number): table.slice(start, end - start) for number, start, end in zip(dealt, starts, ends, strict=True)
    }


def _count_for(rows: int, count: int) -> int:
    """How many partitions a table of so many rows has, that has had `count`."""
    if ROWS // 4 * count <= rows <= 2 * ROWS * count:
        return count
    count = 1
    while count * ROWS < rows and count < MOST_PARTITIONS:
        count *= 2
    return count


def _write(store: Store, table: str, parts: Mapping[int, pa.Table], count: int) -> dict[int, FileRef]:
    """Writes partitions, those without rows left out: number to file."""
    folder = f"work/shards/{table}"
    labels = {number: f"{number:04d}-of-{count:04d}" for number, part in parts.items() if len(part)}
    made = dict(zip(labels, (table_bytes(parts[number].combine_chunks()) for number in labels), strict=True))
    digests = {number: sha256_of(data) for number, data in made.items()}
    names = {number: f"{digests[number][:16]}-{label}.parquet" for number, label in labels.items()}
    write_all_durably(store.out / folder, {names[number]: data for number, data in made.items()})
    return {
        number: FileRef(f"{folder}/{names[number]}", len(parts[number]), digests[number], label)
        for number, label in labels.items()
    }
