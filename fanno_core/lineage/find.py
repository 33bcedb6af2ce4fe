"""Which row or document an id, or the beginning of one, stands for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow.compute as pc

from fanno_core.errors import RunStops
from fanno_core.lineage.shelves import Shelves

SCREENING = ("ingest", "rules", "duplicates", "privacy", "verdicts", "communities")
"""The phases that reject documents, in order; what any other phase rejects was written by the teacher."""
MOST_NAMED = 4


def find_id(shelves: Shelves, typed: str) -> tuple[str, bool]:
    """The whole id, and whether it is a document's.

    Args:
        shelves: the run.
        typed: the id, or enough of its first digits that no other begins so.

    Raises:
        RunStops: nothing of the run has that id, or too much begins so.
        ShardDamaged: a shard is missing or damaged.
    """
    documents = {name for refs in _document_shards(shelves) for name in _beginning(shelves, refs, typed)}
    rows = {name for refs in _row_shards(shelves) for name in _beginning(shelves, refs, typed)}
    found = sorted(documents | rows)
    if typed in found:
        found = [typed]
    out = shelves.made.out
    if not found:
        shown = typed if typed.isalnum() and len(typed) <= 64 else "that"
        raise RunStops(f"nothing in {out} has an id that begins with {shown}: `fanno sample --out {out}` lists some")
    if len(found) > 1:
        named = ", ".join(found[:MOST_NAMED]) + (", ..." if len(found) > MOST_NAMED else "")
        raise RunStops(f"{len(found):,} ids in {out} begin with {typed[:64]!r}: write more digits of one ({named})")
    return found[0], found[0] not in rows


def _document_shards(shelves: Shelves) -> Iterator[Any]:
    yield shelves.kept("ingest")
    for phase in SCREENING:
        yield shelves.rejected(phase)


def _row_shards(shelves: Shelves) -> Iterator[Any]:
    yield shelves.kept("publish")
    for phase in shelves.made.entries:
        if phase not in SCREENING:
            yield shelves.rejected(phase)


def _beginning(shelves: Shelves, refs: Any, typed: str) -> Iterator[str]:
    for table in shelves.column(refs, "id"):
        ids = table.column("id")
        yield from ids.filter(pc.starts_with(ids, typed)).to_pylist()
