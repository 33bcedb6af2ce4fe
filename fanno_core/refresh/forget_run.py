"""Documents taken out of what a run, or the versions of a refresh, have left on the disk."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from fanno_core.dataset.card import Provenance, run_command
from fanno_core.dataset.current import current_number, publish
from fanno_core.dataset.made import VERSIONS, Made
from fanno_core.dataset.manifest import folder_of, read_state, version_numbers
from fanno_core.dataset.publish import publish_dataset
from fanno_core.dataset.record import published, write_rejected
from fanno_core.dataset.sweep import entries_of as entries_of_version
from fanno_core.dataset.sweep import remove_version, sweep
from fanno_core.dataset.versions import NewVersion, write_version
from fanno_core.refresh.contracts import Origin, Waiting
from fanno_core.refresh.entries import entries_of, records_of
from fanno_core.refresh.forgetting import Gone, holds_any
from fanno_core.refresh.passages import Passages
from fanno_core.refresh.reading import forgotten_key
from fanno_core.refresh.remembered import remember
from fanno_core.refresh.tables import BANDIT, Tables
from fanno_core.refresh.taking_out import DATASET, clear_away, counted, holds, rewrite
from fanno_core.refresh.traces import holding, traces
from fanno_core.refresh.wanted import Wanted
from fanno_core.store.contracts import SeedState
from fanno_core.store.durable import names_in, remove_files, write_durably
from fanno_core.store.fingerprint import fingerprint
from fanno_core.store.ledger import Entry, Store
from fanno_core.teachers.answer_journal import FILE as JOURNAL
from fanno_core.teachers.forget_journal import forget_answers
from fanno_core.teachers.licences import declared_licence

EVERY_VERSION = 10**6
REPORT, STAMP, BUILDING = "report", "report-made.json", "building"
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
    journals = {out / "work" / JOURNAL, *(Path(name) for name in (made.settings.run.journal,) if name)}
    answers = sum(
        forget_answers(
            path, gone.segments, gone.instructions | gone.rows, lambda values: holding(values, wanted.passages)
        )
        for path in sorted(journals)
    )
    _leftovers(out, wanted.passages)
    take = _from_versions if (out / VERSIONS).is_dir() else _from_run
    return replace(take(made, gone, wanted.passages), answers=answers)


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
    if traces(out / REPORT, passages):
        _remove_report(out)
    shards = clear_away(out, [entry for of in entries.values() for entry in of], gone, passages)
    return Removed(0, tuple(shards), (), 0, len(rows))


def _from_versions(made: Made, gone: Gone, passages: Passages) -> Removed:
    out = Path(str(made.out))
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
    if traces(folder_of(out, number) / REPORT, passages):
        _clear(folder_of(out, number) / REPORT)
    told = {**gone.counts, "rows": sorted(gone.rows), "versions": removed}
    write_durably(folder_of(out, number) / GONE, _json(told))
    return Removed(0, tuple(sorted(shards)), tuple(removed), number, rows)


def _leave(tables: Tables, gone: Gone) -> None:
    """Takes what is gone out of every table; instructions whose response leant on it wait for another one."""
    for table in [*tables.state.tables]:
        root = table.partition(".")[0]
        if root not in {BANDIT, "origins"}:
            tables.change(table, gone=gone.of(table))
    states = tables.store.read(tables[BANDIT], SeedState)
    staying = [state for state in states if state.seed_id not in gone.instructions]
    if len(staying) < len(states):
        tables.set_states(staying)
    columns = tables.columns({"origins": ("id", "segments", "repeats")}).get("origins")
    if columns is not None:
        mask = holds_any(columns.column("segments"), gone.segments) | holds_any(
            columns.column("repeats"), gone.segments
        )
        origins = tables.look_up("origins", columns.column("id").filter(pa.array(mask)).to_pylist())
        tables.change("origins", new=[_without(origin, gone) for origin in origins])
    unanswered = sorted((gone.leaning | gone.quoting) - gone.instructions)
    tables.change("waiting", new=[Waiting(name, RESPONSE) for name in unanswered])


def _without(origin: Origin, gone: Gone) -> Origin:
    """The document still stands in the corpus; its forgotten segments are not given by it."""
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
        funnel=[{name: phase[name] for name in COUNTS} for phase in phases],
        command=command.replace("fanno run", "fanno refresh", 1) if (made.out / VERSIONS).is_dir() else command,
    )


def _version_holds(out: Path, number: int, gone: Gone, passages: Passages) -> bool:
    """Whether a version's folder, or a shard that it names, holds a row that is gone, or a passage."""
    if traces(folder_of(out, number), passages):
        return True
    named = {ref.path for entry in entries_of_version(out, number) for ref in entry.files}
    named |= {ref.path for ref in read_state(out, number).files}
    return any(holds(out / path, gone, passages) for path in sorted(named) if (out / path).is_file())


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
    _clear(out / REPORT)


def _clear(report: Path) -> None:
    for folder in (report / "figures", report):
        remove_files(folder, [name for name in names_in(folder) if (folder / name).is_file()])


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()
