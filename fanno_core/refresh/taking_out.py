"""A run's shards and ledger without what is gone.

Work that held some of it is told anew under another key, so that all commands go on reading the run, and a run on the
same corpus does that work again, instead of finding what the documents had once given.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from fanno_core.dataset.made import Made
from fanno_core.lineage.find import SCREENING
from fanno_core.refresh.forgetting import COLUMNS, Gone, closure, is_in, whole_origins
from fanno_core.refresh.passages import Passages
from fanno_core.refresh.traces import contents, holding, stands_in
from fanno_core.settings import Refresh
from fanno_core.store.durable import remove_files, sha256_of, write_durably
from fanno_core.store.fingerprint import fingerprint
from fanno_core.store.ledger import Entry, FileRef, Store
from fanno_core.store.tables import read_table, table_bytes
from fanno_core.store.verify import check_ledger

TABLE = {"Instruction": "instructions", "Example": "examples"}
DATASET = "publish"


def gone_of(made: Made, segments: Iterable[str], passages: Passages, strict: bool, names: Collection[str] = ()) -> Gone:
    """What goes with these segments: by ids, since it repeats a passage of theirs, or is called as only they are.

    Args:
        made: the run, or the version, that is current.
        segments: ids.
        passages: of their texts.
        strict: whether rows that were only shown an instruction of theirs go, too.
        names: sources and own ids that nothing else has.

    Raises:
        ShardDamaged: a shard is missing or damaged.
    """
    store = Store(made.out)
    tables = {
        f"{TABLE[contract]}.{number}": table
        for number, (contract, table) in enumerate(_tables(store, made))
        if contract in TABLE
    }
    settings = Refresh(strict=strict, max_withdrawn_context=0.0)
    by_id = closure(
        {name: table.select(COLUMNS[name.partition(".")[0]]) for name, table in tables.items()}, {*segments}, settings
    )
    quoting = {root: frozenset(_quoting(tables, root, passages)) for root in ("instructions", "examples")}
    rejections = frozenset(
        name
        for contract, table in _tables(store, made)
        if contract == "Rejection"
        for name in _ids_holding(table, passages) | _ids_called(table, names)
    )
    instructions = by_id.instructions | quoting["instructions"]
    found = replace(by_id, instructions=instructions, rejections=rejections, names=frozenset(names))
    others = frozenset(_answering(tables, quoting["instructions"])) | quoting["examples"]
    return replace(found, quoting=others - by_id.rows)


def without(table: pa.Table, gone: Gone) -> pa.Table:
    """The rows of a shard that stay."""
    contract = (table.schema.metadata or {}).get(b"contract", b"").decode()
    if contract in {"Document", "Placed", "Sketch", "Neighbours", "Member"}:
        leaving = is_in(table.column("id"), gone.segments)
    elif contract == "Vector":
        leaving = is_in(table.column("id"), gone.segments | gone.instructions)
    elif contract == "Instruction":
        leaving = is_in(table.column("id"), gone.instructions)
    elif contract == "SeedState":
        leaving = is_in(table.column("seed_id"), gone.instructions)
    elif contract == "Example":
        leaving = is_in(table.column("id"), gone.rows)
    elif contract == "Rejection":
        named = gone.of("rejected")
        leaving = is_in(table.column("id"), named) | is_in(table.column("document_id"), named)
        leaving |= is_in(table.column("source"), gone.names)
    elif contract == "Origin":
        leaving = whole_origins(table, gone)
    elif contract == "CorpusFile":
        leaving = is_in(table.column("name"), gone.names)
    else:
        return table
    return table.filter(pa.array(~leaving)) if leaving.any() else table


@dataclass(frozen=True)
class Rewritten:
    """The work of a run without what is gone: all of its entries by phase, and which of the old ones they replace."""

    entries: Mapping[str, tuple[Entry, ...]]
    replaced: tuple[Entry, ...]


def rewrite(made: Made, gone: Gone) -> Rewritten:
    """Writes the shards and entries of a run anew where they hold something that is gone; the data set is not touched.

    Raises:
        ShardDamaged: a shard is missing or damaged.
        RunStops: the disk does not take a file.
    """
    store = Store(made.out)
    entries: dict[str, tuple[Entry, ...]] = {}
    replaced = []
    for phase, old in made.entries.items():
        new = tuple(entry if phase == DATASET else _rewritten(store, entry, gone) for entry in old)
        replaced += [before for before, after in zip(old, new, strict=True) if before is not after]
        entries[phase] = new
    return Rewritten(entries, tuple(replaced))


def clear_away(out: Path, current: Iterable[Entry], gone: Gone, passages: Passages) -> list[str]:
    """Removes every entry that is not current and every shard that no current entry names, where they hold it.

    Those that the documents are found by go last, so that a command that was cut off can be given again.

    Returns:
        The paths of the removed shards below `out`.
    """
    store = Store(out)
    current = list(current)
    staying = {ref.path for entry in current for ref in entry.files}
    keys = {(entry.phase, entry.key) for entry in current}
    is_stale = partial(holds, gone=gone, passages=passages)
    shards = sorted((out / "work" / "shards").glob("*/*.parquet"))
    stale = [path for path in shards if str(path.relative_to(out)) not in staying and is_stale(path)]
    names = {str(path.relative_to(out)) for path in stale}
    others = {place: entry for place, entry in check_ledger(store)[0].items() if (entry.phase, entry.key) not in keys}
    dead = [place for place, entry in others.items() if any(ref.path in names for ref in entry.files)]
    order = {phase: number for number, phase in enumerate(reversed(SCREENING), 1)}
    for place in sorted([*dead, *names], key=lambda place: (order.get(PurePosixPath(place).parent.name, 0), place)):
        remove_files(out / str(PurePosixPath(place).parent), [PurePosixPath(place).name])
    return sorted(names)


def counted(record: Mapping[str, Any], entries: Mapping[str, tuple[Entry, ...]]) -> list[dict[str, Any]]:
    """The phases of a run's record with the counts of these entries; what was spent on them stays as it was."""
    return [_counted(phase, entries.get(phase["name"], ())) for phase in record["phases"]]


def _counted(phase: Mapping[str, Any], entries: tuple[Entry, ...]) -> dict[str, Any]:
    reasons: Counter[str] = Counter()
    for entry in entries:
        reasons.update(entry.reasons)
    return {
        **phase,
        "rows_in": sum(entry.rows_in for entry in entries),
        "candidates": sum(entry.candidates for entry in entries),
        "rows_kept": sum(entry.rows_kept for entry in entries),
        "rejected": dict(sorted(reasons.items())),
    }


def _tables(store: Store, made: Made) -> Iterator[tuple[str, pa.Table]]:
    """Contract and rows of every shard but those of the data set, whose rows are those of an earlier phase."""
    for phase, entries in made.entries.items():
        for ref in (ref for entry in entries for ref in entry.files if phase != DATASET):
            table = read_table(store.bytes_of(ref))
            yield (table.schema.metadata or {}).get(b"contract", b"").decode(), table


def _quoting(tables: Mapping[str, pa.Table], root: str, passages: Passages) -> Iterator[str]:
    for name, table in tables.items():
        if name.partition(".")[0] == root:
            yield from _ids_holding(table, passages)


def _ids_holding(table: pa.Table, passages: Passages) -> set[str]:
    """Ids of the rows in any of whose texts a passage stands."""
    texts = [name for name in ("instruction", "input", "output", "text", "detail") if name in table.column_names]
    places: set[int] = set()
    for name in texts:
        values = [value.encode("utf-8", "surrogatepass") for value in table.column(name).to_pylist()]
        places |= {*holding(values, passages)}
    return {*table.column("id").take(pa.array(sorted(places), pa.int64())).to_pylist()}


def _ids_called(table: pa.Table, names: Collection[str]) -> set[str]:
    """Ids of the rejections that were read under one of these names."""
    return {*table.column("id").filter(pa.array(is_in(table.column("source"), frozenset(names)))).to_pylist()}


def _answering(tables: Mapping[str, pa.Table], instructions: frozenset[str]) -> Iterator[str]:
    for name, table in tables.items():
        if name.startswith("examples"):
            yield from table.column("id").filter(pa.array(is_in(table.column("id"), instructions))).to_pylist()


def _rewritten(store: Store, entry: Entry, gone: Gone) -> Entry:
    """The entry without what is gone: itself where it holds none of it."""
    tables = {ref: read_table(store.bytes_of(ref)) for ref in entry.files}
    staying = {ref: without(table, gone) for ref, table in tables.items()}
    touched = [ref for ref, table in tables.items() if len(staying[ref]) < len(table)]
    if not touched:
        return entry
    made = {ref: table_bytes(staying[ref].combine_chunks()) for ref in touched}
    digests = [sha256_of(made[ref]) if ref in made else ref.sha256 for ref in entry.files]
    key = fingerprint(entry.phase, 0, {"without": entry.key, "files": digests})
    new = {ref: _written(store, entry.phase, key, ref, data, len(staying[ref])) for ref, data in made.items()}
    rejected = tuple(new.get(ref, ref) for ref in entry.rejected if len(staying[ref]))
    reasons = Counter(name for ref in entry.rejected for name in staying[ref].column("reason").to_pylist())
    kept = tuple(new.get(ref, ref) for ref in entry.kept)
    candidates = sum(ref.rows for ref in (*kept, *rejected))
    after = replace(
        entry,
        key=key,
        # What a phase read beyond its candidates, such as files, is not known by row.
        rows_in=candidates if entry.rows_in == entry.candidates else entry.rows_in,
        candidates=candidates,
        kept=kept,
        rejected=rejected,
        extras={name: new.get(ref, ref) for name, ref in entry.extras.items()},
        reasons=dict(sorted(reasons.items())),
    )
    store.record(after)
    return after


def _written(store: Store, phase: str, key: str, ref: FileRef, data: bytes, rows: int) -> FileRef:
    name = f"{key}-{PurePosixPath(ref.path).name.partition('-')[2]}"
    path = f"work/shards/{phase}/{name}"
    write_durably(store.out / path, data)
    return FileRef(path, rows, sha256_of(data), ref.label)


def holds(path: Path, gone: Gone, passages: Passages) -> bool:
    """Whether a shard holds a row that is gone, or a passage."""
    try:
        table = pq.ParquetFile(path).read(use_threads=False)
        if len(without(table, gone)) < len(table):
            return True
    except (pa.ArrowException, OSError):
        pass  # then its bytes are all that is known of it
    return any(stands_in(data, passages) for _, data in contents(path))
