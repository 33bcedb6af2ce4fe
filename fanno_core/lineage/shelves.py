"""Rows of a run by a column's value. Only that column is read of all shards, and the rest of those that hold it.

Whoever asks for thousands of rows keeps the shards in memory: then each is read once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from fanno_core.dataset.made import Made
from fanno_core.errors import ShardDamaged
from fanno_core.store.contracts import Rejection
from fanno_core.store.durable import each
from fanno_core.store.ledger import FileRef, Store
from fanno_core.store.tables import read_table, rows_of

Row = TypeVar("Row")
Index: TypeAlias = Mapping[str, Sequence[int]]
"""The places of the rows that hold a value, by that value."""


@dataclass(frozen=True)
class Shelves:
    """The committed shards of a run, as far as they are asked for.

    Attributes:
        made: the run.
        in_memory: whether a shard that was read stays in memory with an index, for many questions.
    """

    made: Made
    in_memory: bool = False
    _tables: dict[str, pa.Table] = field(default_factory=dict, init=False, repr=False, compare=False)
    _indexes: dict[tuple[str, str], Index] = field(default_factory=dict, init=False, repr=False, compare=False)

    def kept(self, phase: str) -> tuple[FileRef, ...]:
        """Kept shards of a phase, in the order of its jobs; none where it did not run."""
        return tuple(ref for entry in self.made.entries.get(phase, ()) for ref in entry.kept)

    def rejected(self, phase: str) -> tuple[FileRef, ...]:
        """Rejected shards of a phase."""
        return tuple(ref for entry in self.made.entries.get(phase, ()) for ref in entry.rejected)

    def tables(self, phase: str, name: str) -> tuple[FileRef, ...]:
        """The extra tables of that name of a phase, in the order of its jobs."""
        return tuple(entry.extras[name] for entry in self.made.entries.get(phase, ()) if name in entry.extras)

    def column(self, refs: Sequence[FileRef], *names: str) -> list[pa.Table]:
        """These columns of each shard. They are not held against the ledger's digest; `rows` are.

        Raises:
            ShardDamaged: a shard is missing, or is no Parquet file.
        """
        return each(self.made.out, lambda ref: self._columns(ref, names), refs)

    def rows(
        self, refs: Sequence[FileRef], contract: Callable[..., Row], column: str, wanted: Collection[str]
    ) -> list[Row]:
        """The rows whose column holds one of these values, shard after shard.

        Raises:
            ShardDamaged: a shard is missing or damaged.
        """
        if not wanted:
            return []
        if self.in_memory:
            return [row for ref in refs for row in self._remembered(ref, contract, column, wanted)]
        # In Python, since to make an array of these values Arrow would import pandas, which takes most of a second.
        among = set(wanted)
        tables = self.column(refs, column)
        hits = [ref for ref, table in zip(refs, tables, strict=True) if _places(table, column, among)]
        found: list[Row] = []
        for ref in hits:
            table = self._table(ref, contract)
            for place in _places(table, column, among):
                found += rows_of(table.slice(place, 1), contract)
        return found

    def row(self, refs: Sequence[FileRef], contract: Callable[..., Row], row_id: str) -> Row | None:
        """The row of that id; None where no shard holds it."""
        key = fields(contract)[0].name  # type: ignore[arg-type]
        return next(iter(self.rows(refs, contract, key, {row_id})), None)

    def rejections(self, phases: Sequence[str], column: str, value: str) -> list[Rejection]:
        """Rejections by these phases, in their order, whose column holds that value."""
        refs = [ref for phase in phases for ref in self.rejected(phase)]
        return self.rows(refs, Rejection, column, {value})

    def _remembered(
        self, ref: FileRef, contract: Callable[..., Row], column: str, wanted: Collection[str]
    ) -> list[Row]:
        """The same as `rows` of one shard, which is read at the first question; a shard holds one contract."""
        if ref.path not in self._tables:
            self._tables[ref.path] = self._table(ref, contract)
        table = self._tables[ref.path]
        if (ref.path, column) not in self._indexes:
            self._indexes[ref.path, column] = _index_of(table.column(column).to_pylist())
        index = self._indexes[ref.path, column]
        places = sorted(place for value in set(wanted) for place in index.get(value, ()))
        return [row for place in places for row in rows_of(table.slice(place, 1), contract)]

    def _table(self, ref: FileRef, contract: Callable[..., Row]) -> pa.Table:
        names = [f.name for f in fields(contract)]  # type: ignore[arg-type]
        return read_table(Store(self.made.out).bytes_of(ref), names)

    def _columns(self, ref: FileRef, names: Sequence[str]) -> pa.Table:
        path = self.made.out / ref.path
        try:
            # An object is read whole in any case: its parts would take a request each.
            data: Any = path if isinstance(path, Path) else pa.BufferReader(Store(self.made.out).bytes_of(ref))
            return pq.ParquetFile(data).read(columns=list(names), use_threads=False)
        except (pa.ArrowException, OSError):
            raise ShardDamaged(f"{ref.path} cannot be read; `fanno verify` names what is damaged") from None


def _places(table: pa.Table, column: str, wanted: set[str]) -> list[int]:
    return [place for place, value in enumerate(table.column(column).to_pylist()) if value in wanted]


def _index_of(values: Sequence[str]) -> Index:
    places: defaultdict[str, list[int]] = defaultdict(list)
    for place, value in enumerate(values):
        places[value].append(place)
    return places
