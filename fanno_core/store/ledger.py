"""Shards and the ledger that alone says which work is done.

`OUT/work/shards/PHASE/KEY-LABEL.parquet` are the rows, `OUT/work/ledger/PHASE/KEY.json` the entries. A file
without an entry proves nothing; an entry counts only while every file that it names is whole.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

import pyarrow as pa

from fanno_core.errors import ContractBroken, RowsLost, ShardDamaged
from fanno_core.outcome import Outcome, Usage
from fanno_core.store.contracts import Rejection, schema_of
from fanno_core.store.durable import each, read_whole, sha256_of, write_durably
from fanno_core.store.fingerprint import canonical
from fanno_core.store.location import Location
from fanno_core.store.tables import checked_table, from_parquet, to_parquet

Row = TypeVar("Row")
# A graph of more tasks than this a phase cannot be read in Prefect's UI.
MOST_SHARDS = 256
# A name that begins so is never `.` or `..`, and holds no separator: what an entry names is below OUT.
NAME = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"
COMMITTED = re.compile(rf"(?:work/shards/{NAME}|(?:versions/[0-9]{{6}}/)?dataset)/{NAME}")


@dataclass(frozen=True, slots=True)
class FileRef:
    """A committed file: its path below OUT, its rows and the SHA-256 of its bytes."""

    path: str
    rows: int
    sha256: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """What one piece of work made. This, and never a table, travels between tasks."""

    phase: str
    key: str
    rows_in: int
    candidates: int
    kept: tuple[FileRef, ...]
    rejected: tuple[FileRef, ...]
    extras: Mapping[str, FileRef] = field(default_factory=dict)
    reasons: Mapping[str, int] = field(default_factory=dict)
    asked: Mapping[str, Usage] = field(default_factory=dict)

    @property
    def usage(self) -> Usage:
        """What was asked of the teacher, over all prompts."""
        return sum(self.asked.values(), Usage())

    @property
    def files(self) -> tuple[FileRef, ...]:
        """Every file that this entry answers for."""
        return (*self.kept, *self.rejected, *self.extras.values())

    @property
    def rows_kept(self) -> int:
        """Rows in the kept files."""
        return sum(ref.rows for ref in self.kept)

    def to_json(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Entry:
        """The entry of these values.

        Raises:
            KeyError, TypeError, ValueError: they are not an entry's.
        """
        return cls(
            **{
                **values,
                "kept": tuple(map(ref_of, values["kept"])),
                "rejected": tuple(map(ref_of, values["rejected"])),
                "extras": {name: ref_of(ref) for name, ref in values["extras"].items()},
                "asked": {prompt: Usage(**usage) for prompt, usage in values["asked"].items()},
            }
        )


@dataclass(frozen=True, slots=True)
class Store:
    """The shards and the ledger of one output folder. Holds its place and nothing else, so that it travels.

    Where the folder lies on an object store, every method raises TryAgain or RunStops, too, when that cannot be
    reached or refuses.
    """

    out: Location

    def read(self, refs: Iterable[FileRef], contract: Callable[..., Row]) -> list[Row]:
        """The rows of these shards, shard after shard.

        Raises:
            ShardDamaged: a file is missing or is not the one that was committed.
        """
        shards = each(self.out, lambda ref: from_parquet(self.bytes_of(ref), contract, ref.path), refs)
        return [row for rows in shards for row in rows]

    def table(self, refs: Iterable[FileRef], contract: type) -> pa.Table:
        """The same rows, in Arrow.

        Raises:
            ShardDamaged: a file is missing or is not the one that was committed.
        """
        shards = each(self.out, lambda ref: checked_table(self.bytes_of(ref), contract, ref.path), refs)
        return pa.concat_tables([schema_of(contract).empty_table(), *shards])

    def bytes_of(self, ref: FileRef) -> bytes:
        """The committed bytes of a file.

        Raises:
            ShardDamaged: it is missing or changed, or lies where no phase writes.
        """
        if not COMMITTED.fullmatch(ref.path):
            raise ShardDamaged("the ledger names a file that no phase writes; it is not opened")
        try:
            data = read_whole(self.out / ref.path)
        except OSError as error:
            raise ShardDamaged(f"{ref.path} cannot be read: {error.strerror or 'it is not there'}") from None
        if sha256_of(data) != ref.sha256:
            raise ShardDamaged(f"{ref.path} is damaged: its bytes are not those that were committed")
        return data

    def is_whole(self, entry: Entry) -> bool:
        """Whether every file of the entry is there, byte for byte."""
        try:
            each(self.out, self._check, entry.files)
        except ShardDamaged:
            return False
        return True

    def find(self, phase: str, key: str) -> Entry | None:
        """The entry of finished work; None where it is not done, or where its entry or files are damaged.

        Raises:
            ContractBroken: phase or key cannot be part of a file's name.
        """
        try:
            entry = self.entry(phase, key)
        except ShardDamaged:
            return None
        return entry if self.is_whole(entry) else None

    def entry(self, phase: str, key: str) -> Entry:
        """The entry of finished work, without a look at its files.

        Raises:
            ContractBroken: phase or key cannot be part of a file's name.
            ShardDamaged: the entry is missing or damaged.
        """
        path = self._entry_path(phase, key)
        try:
            record = json.loads(read_whole(path))
            entry = Entry.from_json(record["entry"])
            intact = record["sha256"] == sha256_of(canonical(record["entry"]).encode())
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            intact = False
        if not (intact and (entry.phase, entry.key) == (phase, key)):
            raise ShardDamaged(f"the ledger's entry {phase}/{key} is missing or damaged; `fanno verify` names what is")
        return entry

    def write_shard(self, phase: str, key: str, label: str, rows: Sequence[Any], contract: type[Any]) -> FileRef:
        """Commits rows as one shard.

        Raises:
            ContractBroken: phase, key or label cannot be part of a file's name, or the rows do not fit the contract.
        """
        data = to_parquet(rows, contract)
        path = f"work/shards/{_checked(phase)}/{_checked(key)}-{_checked(label)}.parquet"
        write_durably(self.out / path, data)
        return FileRef(path, len(rows), sha256_of(data), label)

    def commit(
        self,
        phase: str,
        key: str,
        rows_in: int,
        outcome: Outcome[Any],
        shards: Mapping[str, Sequence[Any]],
        contract: type[Any],
        asked: Mapping[str, Usage],
    ) -> Entry:
        """Commits a phase's outcome: its kept rows as labelled shards, its rejections, its extra tables.

        Args:
            phase: name of the phase.
            key: fingerprint of the work.
            rows_in: rows that the work read.
            outcome: what the phase made.
            shards: label to kept rows; together the outcome's kept rows.
            contract: what the kept rows are.
            asked: what was asked of the teacher, by prompt.

        Raises:
            RowsLost: the shards do not hold as many rows as were kept.
        """
        dealt = sum(map(len, shards.values()))
        if dealt != len(outcome.kept):
            raise RowsLost(f"phase {phase}: {len(outcome.kept)} rows kept, but {dealt} dealt into shards")
        kept = each(self.out, lambda shard: self.write_shard(phase, key, *shard, contract), shards.items())
        rejected = (self.write_shard(phase, key, "rejected", outcome.rejected, Rejection),) if outcome.rejected else ()
        extras = {name: self.write_shard(phase, key, name, rows, kind) for name, (kind, rows) in outcome.extras.items()}
        entry = Entry(phase, key, rows_in, outcome.candidates, tuple(kept), rejected, extras, outcome.reasons, asked)
        self.record(entry)
        return entry

    def record(self, entry: Entry) -> None:
        """Writes the entry: from here on, the work is done."""
        values = entry.to_json()
        record = {"entry": values, "sha256": sha256_of(canonical(values).encode())}
        write_durably(self._entry_path(entry.phase, entry.key), canonical(record).encode())

    def _check(self, ref: FileRef) -> None:
        self.bytes_of(ref)

    def _entry_path(self, phase: str, key: str) -> Location:
        return self.out / "work" / "ledger" / _checked(phase) / f"{_checked(key)}.json"


def ref_of(values: Mapping[str, Any]) -> FileRef:
    """The file that an entry names; whoever reads the ledger may open it, or remove it where it is damaged.

    Raises:
        KeyError, TypeError, ValueError: the values are not a file's, or no phase writes there.
    """
    ref = FileRef(**values)
    if not COMMITTED.fullmatch(ref.path):
        raise ValueError("an entry names a file that no phase writes")
    return ref


def _checked(name: str) -> str:
    """A phase, key or label that is fit to be part of a path."""
    if not re.fullmatch(NAME, name):
        raise ContractBroken(f"{name[:40]!r} cannot be part of a file's name: letters, digits, '_', '-' and '.' can")
    return name


def by_id(rows: Sequence[Row], most: int) -> dict[str, list[Row]]:
    """Rows in shards of about `most` rows, by the first digits of their id.

    The number of shards is a power of two, at most 256, and a row's shard depends on its id: so a document that
    comes or goes changes one shard and leaves the work on the others as it is, until the number of shards doubles.
    """
    count = 1
    while count * most < len(rows) and count < MOST_SHARDS:
        count *= 2
    shards: dict[str, list[Row]] = {}
    for row in rows:
        shards.setdefault(f"{int(row.id[:4], 16) % count:03d}", []).append(row)  # type: ignore[attr-defined]
    return dict(sorted(shards.items()))
