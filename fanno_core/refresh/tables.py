"""The tables of a version while a night changes them.

Shards are named after their bytes: what was written before a kill is found again, and nothing counts until a version
names it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any

import pyarrow as pa

from fanno_core.refresh.entries import REJECTED, rejections_of
from fanno_core.refresh.state import State, contract_of
from fanno_core.store.carried import carry, look_up, read_columns
from fanno_core.store.contracts import Rejection, SeedState
from fanno_core.store.durable import sha256_of
from fanno_core.store.ledger import FileRef, Store
from fanno_core.store.tables import to_parquet

BANDIT = "bandit"


class Tables:
    """What stands now.

    Args:
        store: where shards lie.
        state: the tables to begin with.
    """

    def __init__(self, store: Store, state: State) -> None:
        self.store = store
        self.state = state

    def __getitem__(self, table: str) -> tuple[FileRef, ...]:
        """The shards of a table."""
        return self.state[table]

    def rows(self, table: str) -> int:
        """How many rows a table has."""
        return sum(ref.rows for ref in self.state[table])

    def column(self, table: str, name: str) -> pa.ChunkedArray:
        """A column of a table.

        Raises:
            ShardDamaged: a shard is missing or damaged.
        """
        return read_columns(self.store, self.state[table], contract_of(table), [name]).column(name)

    def columns(self, roots: Mapping[str, Sequence[str]]) -> dict[str, pa.Table]:
        """Some columns of every table whose name begins so: its name to the columns.

        Raises:
            ShardDamaged: a shard is missing or damaged.
        """
        return {
            name: read_columns(self.store, refs, contract_of(name), roots[name.partition(".")[0]])
            for name, refs in self.state.tables.items()
            if name.partition(".")[0] in roots
        }

    def look_up(self, table: str, ids: Collection[str]) -> list[Any]:
        """The rows with these keys.

        Raises:
            ShardDamaged: a shard is missing or damaged.
        """
        return look_up(self.store, self.state[table], contract_of(table), ids)

    def change(self, table: str, gone: Collection[str] = (), new: Sequence[Any] = ()) -> None:
        """Takes rows out of a table, and then puts new ones in."""
        if gone or new:
            refs = carry(self.store, table, self.state[table], contract_of(table), gone, new)
            self.state = self.state.with_tables({table: refs})

    def reject(self, rows: Iterable[Rejection]) -> None:
        """Adds rejections."""
        by_table: Mapping[str, list[Rejection]] = defaultdict(list)
        for row in rows:
            by_table[rejections_of(row.phase, row.reason)].append(row)
        for table, found in sorted(by_table.items()):
            self.change(table, new=found)

    def take_back(self, ids: Collection[str], phases: Collection[str] = ()) -> None:
        """Takes out the rejections with these ids, and those of documents with these ids; of some phases, or of all."""
        for table in [name for name in self.state.tables if name.startswith(REJECTED)]:
            if not phases or table.split(".")[1] in phases:
                self.change(table, gone=ids)

    def set_states(self, states: Sequence[SeedState]) -> None:
        """The bandit's states: one shard, since all of them are read together."""
        data = to_parquet(states, SeedState)
        ref = self.store.write_shard(BANDIT, sha256_of(data)[:16], "all", states, SeedState)
        self.state = self.state.with_tables({BANDIT: (ref,)})

    def empty(self, table: str) -> pa.Table:
        """No rows of a table."""
        return read_columns(self.store, (), contract_of(table), [f.name for f in fields(contract_of(table))])
