"""What a finished run left in its output folder, for whoever tells about it: report, explanation, samples, exports."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, TypeVar

from pydantic import ValidationError

from fanno_core.errors import RunStops
from fanno_core.settings import Settings
from fanno_core.store.contracts import Example, Rejection
from fanno_core.store.durable import read_whole
from fanno_core.store.ledger import Entry, FileRef, Store
from fanno_core.store.location import Location
from fanno_core.store.tables import read_table, rows_of
from fanno_core.teachers.protocol import Identity

Row = TypeVar("Row")

VERSIONS = "versions"


@dataclass(frozen=True)
class Made:
    """The last run of an output folder, and everything that its phases committed.

    Attributes:
        out: the output folder.
        record: what `run.json` holds.
    """

    out: Location
    record: Mapping[str, Any]

    @property
    def is_version(self) -> bool:
        """Whether a refresh has left it: work of several nights, without what each of them knew."""
        return "refresh" in self.record

    @cached_property
    def settings(self) -> Settings:
        """The settings of the run."""
        return Settings.model_validate(self.record["settings"])

    @cached_property
    def teacher(self) -> Identity:
        """Who answered."""
        return Identity(**self.record["identity"])

    @cached_property
    def entries(self) -> Mapping[str, tuple[Entry, ...]]:
        """The ledger's entries by phase, in the order of its jobs.

        Raises:
            ShardDamaged: an entry is missing or damaged.
        """
        store = Store(self.out)
        return {phase: tuple(store.entry(phase, key) for key in keys) for phase, keys in self.record["work"].items()}

    def kept(self, phase: str, contract: Callable[..., Row]) -> list[Row]:
        """The rows that a phase kept, shard after shard; none where it did not run.

        Raises:
            ShardDamaged: a shard is missing or damaged.
        """
        return self.read([ref for entry in self.entries.get(phase, ()) for ref in entry.kept], contract)

    def read(self, refs: Sequence[FileRef], contract: Callable[..., Row]) -> list[Row]:
        """The rows of these shards, shard after shard.

        Raises:
            ShardDamaged: a shard is missing or damaged.
        """
        return Store(self.out).read(refs, contract)

    def extra(self, phase: str, name: str, contract: Callable[..., Row]) -> list[Row]:
        """The rows of an extra table of a phase, such as `vectors`, over all of its entries.

        Raises:
            ShardDamaged: a shard is missing or damaged.
        """
        entries = self.entries.get(phase, ())
        return Store(self.out).read([entry.extras[name] for entry in entries if name in entry.extras], contract)

    def rejections(self) -> list[Rejection]:
        """Every rejected row of the run, phase after phase.

        Raises:
            ShardDamaged: a shard is missing or damaged.
        """
        refs = [ref for entries in self.entries.values() for entry in entries for ref in entry.rejected]
        return Store(self.out).read(refs, Rejection)

    def examples(self) -> list[Example]:
        """The rows of the data set, in the order of their ids.

        Raises:
            ShardDamaged: a file of the data set is missing or damaged.
        """
        columns = [f.name for f in fields(Example)]
        rows: list[Example] = []
        for entry in self.entries.get("publish", ()):
            for ref in entry.kept:
                rows += rows_of(read_table(Store(self.out).bytes_of(ref), columns), Example)
        return rows


def open_made(out: Location) -> Made:
    """What the last run left in this folder.

    Raises:
        RunStops: there is no finished run, or an earlier version of FANNO left it.
        TryAgain, RunStops: the object store cannot be reached, or refuses.
    """
    return _open(out, "run.json")


def open_version(out: Location, number: int) -> Made:
    """What a version of this folder holds, whether or not it is the current one.

    Raises:
        RunStops: there is no such version, or an earlier version of FANNO wrote it.
    """
    return _open(out, f"{VERSIONS}/{number:06d}/run.json")


def _open(out: Location, path: str) -> Made:
    try:
        record = json.loads(read_whole(out / path))
    except (OSError, ValueError):
        if path.startswith(VERSIONS):
            raise RunStops(f"{out / path} cannot be read; `fanno versions {out}` lists what is there") from None
        raise RunStops(f"{out} holds no finished run: `fanno run --corpus ... --out {out}` makes one") from None
    if not (isinstance(record, dict) and {"work", "identity", "dataset"} <= record.keys() and _fits(record)):
        raise RunStops(f"{out / path} was written by another version; run `fanno run` on it again")
    # A version may have no rows left; without them, a run was cut off.
    if not (record["dataset"]["rows"] or "refresh" in record):
        raise RunStops(f"the last run in {out} did not come to its end: run it again, it goes on")
    return Made(out, record)


def _fits(record: Mapping[str, Any]) -> bool:
    """Whether this version knows every setting of the run."""
    try:
        Settings.model_validate(record["settings"])
    except (KeyError, ValidationError):
        return False
    return True
