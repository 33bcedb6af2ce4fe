"""Two versions of a data set: which rows came, went and changed, and what that did to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fanno_core.dataset.made import open_version
from fanno_core.dataset.manifest import read_state, read_version
from fanno_core.store.carried import differing, read_columns
from fanno_core.store.contracts import Example
from fanno_core.store.ledger import Store


@dataclass(frozen=True, slots=True)
class Differences:
    """What happened between two versions.

    Attributes:
        numbers: of the two versions.
        added, retired, changed: ids of rows, in order; changed is a row of the same id with other values.
        measures: by name, before and after; None where a version was not measured.
        task_types: rows by task type, before and after; augmented instructions have none.
    """

    numbers: tuple[int, int]
    added: tuple[str, ...]
    retired: tuple[str, ...]
    changed: tuple[str, ...]
    measures: Mapping[str, tuple[Any, Any]]
    task_types: Mapping[str, tuple[int, int]]


def diff(out: Path, before: int, after: int) -> Differences:
    """What happened from one version to another. Of the rows, only partitions that differ are read.

    Raises:
        RunStops: there is no such version.
        ShardDamaged: a file of one of them is missing or damaged.
    """
    versions = [read_version(out, number) for number in (before, after)]
    tables = [read_state(out, version.number)["examples"] for version in versions]
    old, new = ({row.id: row for row in rows} for rows in differing(Store(out), tables[0], tables[1], Example))
    first, second = ({"rows": version.rows, **_measured(out, version.number)} for version in versions)
    types = [Counter(read_columns(Store(out), refs, Example, ["task_type"])[0].to_pylist()) for refs in tables]
    return Differences(
        numbers=(before, after),
        added=tuple(sorted(new.keys() - old.keys())),
        retired=tuple(sorted(old.keys() - new.keys())),
        changed=tuple(sorted(name for name in old.keys() & new.keys() if old[name] != new[name])),
        measures={name: (first.get(name), second.get(name)) for name in {**first, **second}},
        task_types={name: (types[0][name], types[1][name]) for name in sorted(types[0] | types[1])},
    )


def _measured(out: Path, number: int) -> Mapping[str, Any]:
    """The measures of `fanno_core.dataset.gates` that a night has left in the record of its version."""
    measures: Mapping[str, Any] = open_version(out, number).record.get("refresh", {}).get("measures", {})
    return measures
