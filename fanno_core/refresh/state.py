"""Which tables a version carries to the next night, and where they lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from fanno_core.errors import ShardDamaged
from fanno_core.refresh.contracts import CorpusFile, Member, Neighbours, Origin, Sketch, Waiting
from fanno_core.store.contracts import Document, Example, Instruction, Placed, Rejection, SeedState, Vector
from fanno_core.store.ledger import FileRef, ref_of

TABLES: Mapping[str, type[Any]] = {
    "files": CorpusFile,
    "origins": Origin,
    "unruled": Document,
    "ruled": Document,
    "sketches": Sketch,
    "masked": Document,
    "screened": Document,
    "vectors": Vector,
    "neighbours": Neighbours,
    "members": Member,
    "seeded": Placed,
    "placed": Placed,
    "instructions": Instruction,
    "questions": Vector,
    "bandit": SeedState,
    "examples": Example,
    "rejected": Rejection,
    "waiting": Waiting,
}
"""What the rows of each table are. A table may be in parts, which are tables of their own: `instructions.augment`."""


def contract_of(table: str) -> type[Any]:
    """What the rows of a table, or of a part of one, are.

    Raises:
        ShardDamaged: no version carries such a table.
    """
    contract = TABLES.get(table.partition(".")[0])
    if contract is None:
        raise ShardDamaged(f"a version carries no table {table[:40]!r}; another version of FANNO wrote this state")
    return contract


@dataclass(frozen=True, slots=True)
class State:
    """The tables of a version: name to shards. Refused is a table that no version carries.

    Raises:
        ShardDamaged: a table is unknown.
    """

    tables: Mapping[str, tuple[FileRef, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for table in self.tables:
            contract_of(table)

    def __getitem__(self, table: str) -> tuple[FileRef, ...]:
        """The shards of a table; none where the version has no rows of it.

        Raises:
            ShardDamaged: no version carries such a table.
        """
        contract_of(table)
        return self.tables.get(table, ())

    def with_tables(self, tables: Mapping[str, tuple[FileRef, ...]]) -> State:
        """The same, with these tables in the place of those of the same name.

        Raises:
            ShardDamaged: a table is unknown.
        """
        return State({**self.tables, **tables})

    @property
    def files(self) -> tuple[FileRef, ...]:
        """Every shard of every table."""
        return tuple(ref for refs in self.tables.values() for ref in refs)

    def to_json(self) -> dict[str, list[dict[str, Any]]]:
        """Plain values, for JSON: tables in the order of their names."""
        return {table: [asdict(ref) for ref in refs] for table, refs in sorted(self.tables.items())}

    @classmethod
    def from_json(cls, values: Any) -> State:
        """The state of these values.

        Raises:
            ShardDamaged: they are not a state's, or a table is unknown.
        """
        try:
            return cls({table: tuple(map(ref_of, refs)) for table, refs in values.items()})
        except (AttributeError, TypeError, ValueError, KeyError):
            raise ShardDamaged("a version's state.json is damaged: it cannot be read as tables and shards") from None
