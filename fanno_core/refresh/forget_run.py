"""Documents taken out of what a run, or the versions of a refresh, have left on the disk."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from fanno_core.dataset.card import Provenance, how_made, run_command
from fanno_core.dataset.current import REPORT, current_number, keep_report, lead_to_report, publish
from fanno_core.dataset.made import VERSIONS, Made
from fanno_core.dataset.manifest import folder_of, read_state, version_numbers
from fanno_core.dataset.publish import publish_dataset
from fanno_core.dataset.record import published, write_rejected
from fanno_core.dataset.sweep import entries_of as entries_of_version
from fanno_core.dataset.sweep import remove_version, sweep
from fanno_core.dataset.versions import NewVersion, write_version
from fanno_core.refresh.contracts import Origin, Waiting
from fanno_core.refresh.entries import entries_of, records_of
from fanno_core.refresh.forgetting import Gone, holds_any, whole_origins
from fanno_core.refresh.names import names_in
from fanno_core.refresh.passages import Passages
from fanno_core.refresh.reading import forgotten_key
from fanno_core.refresh.remembered import remember
from fanno_core.refresh.tables import BANDIT, Tables
from fanno_core.refresh.taking_out import DATASET, clear_away, counted, holds, rewrite
from fanno_core.refresh.traces import holding, traces
from fanno_core.refresh.wanted import Wanted
from fanno_core.store.contracts import SeedState
from fanno_core.store.durable import remove_files, write_durably
from fanno_core.store.fingerprint import fingerprint
from fanno_core.store.ledger import Entry, Store
from fanno_core.teachers.answer_journal import FILE as JOURNAL
from fanno_core.teachers.forget_journal import answers_to_forget, forget_answers
from fanno_core.teachers.licences import declared_licence
from fanno_core.text import stable_id

EVERY_VERSION = 10**6
STAMP, BUILDING = "report-made.json", "building"
RESPONSE = "response"
GONE = "gone.json"
COUNTS = ("name", "candidates", "rows_kept", "rejected")


@dataclass(frozen=True)
class Removed:
    """What was taken out.

    Attributes:
        answers: of the journals.
        shards: paths below the folder.
        versions: their numbers.
        version: number of the version that was published in their place; 0 where there are none.
        rows: of the data set now.
    """

    answers: int
    shards: tuple[str, ...]
    versions: tuple[int, ...]
    version: int
    rows: int


def take_out(made: Made, wanted: Wanted, gone: Gone) -> Removed:
    """Takes documents, and all that goes with them, out of a folder; only for the one who owns it.

    A command that was killed on the way can be given again: what the documents are found by goes last.

    Raises:
        ShardDamaged: a shard, an entry or a version is missing or damaged.
        RunStops: the disk does not take a file, or another process holds a journal.
    """
    out = Path(str(made.out))
    remember(out, map(forgotten_key, wanted.read))
    answers = _of_journals(forget_answers, made, wanted, gone)
    _leftovers(out, wanted.passages)
    take = _from_versions if (out / VERSIONS).is_dir() else _from_run
    return replace(take(made, gone, wanted.passages), answers=answers)


def to_take_out(made: Made, wanted: Wanted, gone: Gone) -> Removed:
    """What `take_out` would remove, without changing anything: the shards are those that hold some of it.

    Raises:
        ShardDamaged: an entry or a version is missing or damaged.
        RunStops: a journal cannot be read.
    """
    out = Path(str(made.out))
    shards = sorted((out / "work" / "shards").glob("*/*.parquet"))
    holding_some = tuple(path.relative_to(out).as_posix() for path in shards if holds(path, gone, wanted.passages))
    numbers = tuple(number for number in version_numbers(out) if _version_holds(out, number, gone, wanted.passages))
    answers = _of_journals(answers_to_forget, made, wanted, gone)
    rows = sum(row.id not in gone.rows for row in made.examples())
    return Removed(answers, holding_some, numbers, 0, rows)


def _of_journals(count: Callable[..., int], made: Made, wanted: Wanted, gone: Gone) -> int:
    """How many answers there are to take out of the folder's journal and a shared one."""
    own = Path(str(made.out)) / "work" / JOURNAL
    journals = {own, *(Path(name) for name in (made.settings.run.journal,) if name)}
    rows = gone.instructions | gone.rows
    return sum(
        count(path, gone.segments, rows, lambda values: holding(values, wanted.passages)) for path in sorted(journals)
    )


def _from_run(made: Made, gone: Gone, passages: Passages) -> Removed:
    out, store = Path(str(made.out)), Store(made.out)
    written = rewrite(made, gone)
    entries = dict(written.entries)
    phases = counted(made.record, entries)
    before = made.examples() if DATASET in made.entries else []
    rows = [row for row in before if row.id not in gone.rows]
    if len(rows) < len(before):
        kept, others = publish_dataset(rows, out, made.settings.publish, _provenance(made, phases))
        old = made.entries[DATASET][-1].key
        key = fingerprint(DATASET, 0, {"without": old, "files": [ref.sha256 for ref in kept]})
        entries[DATASET] = (Entry(DATASET, key, len(rows), len(rows), kept, (), others),)
        store.record(entries[DATASET][0])
        _remove_report(out)
    if entries != made.entries:
        work = {phase: [entry.key for entry in of] for phase, of in entries.items()}
        record = {**made.record, "phases": counted(made.record, entries), "dataset": published(out), "work": work}
        write_durably(out / "run.json", _json(record))
        write_rejected(store, [entry for of in entries.values() for entry in of])
    if _tells(out / REPORT, gone, passages):
        _remove_report(out)
    shards = clear_away(out, [entry for of in entries.values() for entry in of], gone, passages)
    return Removed(0, tuple(shards), (), 0, len(rows))


def _from_versions(made: Made, gone: Gone, passages: Passages) -> Removed:
    out = Path(str(made.out))
    keep_report(out)
    number = current_number(out)
    tables = Tables(Store(out), read_state(out, number))
    before = tables.state
    _leave(tables, gone)
    if tables.state != before:
        number = _publish_without(made, tables, number)
    rows = tables.rows("examples")
    removed = [
        other for other in version_numbers(out) if other != number and _version_holds(out, other, gone, passages)
    ]
    for other in removed:
        remove_version(out, other)
    shards = {path.relative_to(out).as_posix() for path in (out / "work" / "shards").glob("*/*")}
    sweep(out, EVERY_VERSION)
    shards -= {path.relative_to(out).as_posix() for path in (out / "work" / "shards").glob("*/*")}
    if _tells(folder_of(out, number) / REPORT, gone, passages):
        shutil.rmtree(folder_of(out, number) / REPORT)
    lead_to_report(out)
    told = {**gone.counts, "rows": sorted(gone.rows), "versions": removed}
    write_durably(folder_of(out, number) / GONE, _json(told))
    return Removed(0, tuple(sorted(shards)), tuple(removed), number, rows)


def _leave(tables: Tables, gone: Gone) -> None:
    """Takes what is gone out of every table; instructions whose response leant on it wait for another one."""
    for table in [*tables.state.tables]:
        root = table.partition(".")[0]
        if root not in {BANDIT, "files", "origins"}:
            tables.change(table, gone=gone.of(table))
    states = tables.store.read(tables[BANDIT], SeedState)
    staying = [state for state in states if state.seed_id not in gone.instructions]
    if len(staying) < len(states):
        tables.set_states(staying)
    _leave_corpus(tables, gone)
    unanswered = sorted((gone.leaning | gone.quoting) - gone.instructions)
    tables.change("waiting", new=[Waiting(name, RESPONSE) for name in unanswered])


def _leave_corpus(tables: Tables, gone: Gone) -> None:
    """Takes documents, and what only they were called, out of the tables of what stands in the corpus."""
    tables.change("files", gone={stable_id(name) for name in gone.names})
    columns = tables.columns({"origins": ("id", "file", "segments", "repeats")}).get("origins")
    if columns is None:
        return
    some = holds_any(columns.column("segments"), gone.segments) | holds_any(columns.column("repeats"), gone.segments)
    whole = whole_origins(columns, gone)
    leaving, partly = (columns.column("id").filter(pa.array(mask)).to_pylist() for mask in (whole, some & ~whole))
    tables.take_back({name for origin in tables.look_up("origins", leaving) for name in origin.bad_rows}, ["ingest"])
    tables.change("origins", leaving, [_without(origin, gone) for origin in tables.look_up("origins", partly)])


def _without(origin: Origin, gone: Gone) -> Origin:
    """The document with the segments that were not named."""
    segments = tuple(name for name in origin.segments if name not in gone.segments)
    return replace(origin, segments=segments, repeats=tuple(n for n in origin.repeats if n not in gone.segments))


def _publish_without(made: Made, tables: Tables, parent: int) -> int:
    out = Path(str(made.out))
    entries = entries_of(tables.state.tables, bool(made.settings.decontaminate.files))
    phases = [asdict(record) for record in records_of(entries, {})]
    record = {**made.record, "phases": phases}
    new = NewVersion(tables.state, entries, record, _provenance(made, phases), made.settings.publish, parent)
    return publish(out, write_version(out, new).number).number


def _provenance(made: Made, phases: Sequence[Mapping[str, Any]]) -> Provenance:
    """What the card told, with these counts; no teacher is opened to say what it said before."""
    settings = made.settings
    modes = {row.response_mode for row in made.examples()}
    command = run_command(settings)
    return Provenance(
        teacher=made.record["teacher"],
        teacher_licence=declared_licence(settings.teacher),
        encoder=made.record["encoder"],
        mode=settings.responses.mode
        if settings.responses.mode != "auto"
        else "direct"
        if modes <= {"direct"}
        else "rag+",
        seed=settings.run.seed,
        languages=settings.screen.languages,
        how=how_made(settings),
        funnel=[{name: phase[name] for name in COUNTS} for phase in phases],
        command=command.replace("fanno run", "fanno refresh", 1) if (made.out / VERSIONS).is_dir() else command,
    )


def _version_holds(out: Path, number: int, gone: Gone, passages: Passages) -> bool:
    """Whether a version's folder, or a shard that it names, holds a row that is gone, or a passage."""
    if _tells(folder_of(out, number), gone, passages):
        return True
    named = {ref.path for entry in entries_of_version(out, number) for ref in entry.files}
    named |= {ref.path for ref in read_state(out, number).files}
    return any(holds(out / path, gone, passages) for path in sorted(named) if (out / path).is_file())


def _tells(folder: Path, gone: Gone, passages: Passages) -> bool:
    """Whether a passage or a name stands in a folder; in none that is not there."""
    return bool(traces(folder, passages) or names_in(folder, gone.names))


def _leftovers(out: Path, passages: Passages) -> None:
    """Removes what killed or mended work has left, where it holds a passage."""
    if (out / BUILDING).is_dir() and traces(out / BUILDING, passages):
        shutil.rmtree(out / BUILDING)
    for path in sorted((out / "work").glob("*.damaged")):
        if traces(path, passages):
            remove_files(path.parent, [path.name])


def _remove_report(out: Path) -> None:
    """It would tell of rows that are gone; `fanno report` makes it again."""
    remove_files(out / "work", [STAMP])
    if (out / REPORT).is_dir():
        shutil.rmtree(out / REPORT)


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()
