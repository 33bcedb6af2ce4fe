"""`fanno verify`: whether an output folder is whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Annotated, Any

import typer

from deployments.cli.options import AsJson, OutOfRun, one_sentence_errors
from fanno_core.dataset.made import VERSIONS
from fanno_core.dataset.publish import MANIFEST
from fanno_core.dataset.verify import check_dataset
from fanno_core.dataset.verify_record import check_record, shared_journal_of
from fanno_core.dataset.verify_versions import check_versions, mend_versions
from fanno_core.errors import RunStops
from fanno_core.store.ledger import Store
from fanno_core.store.location import Location, open_location
from fanno_core.store.ownership import owned
from fanno_core.store.verify import Damage, check_files, check_ledger, take_out
from fanno_core.teachers.verify import check_journal, mend_journal

Repair = Annotated[
    bool, typer.Option("--repair", help="Take out what is damaged, so that the next run redoes just that.")
]


@dataclass(frozen=True)
class Findings:
    """What was looked at, and what is wrong with it."""

    entries: int
    files: int
    damaged: tuple[Damage, ...]
    versions: tuple[Damage, ...]
    journal: tuple[Damage, ...]

    @property
    def all(self) -> tuple[Damage, ...]:
        """Everything that is wrong."""
        return (*self.damaged, *self.versions, *self.journal)


def verify(out: OutOfRun, repair: Repair = False, as_json: AsJson = False) -> None:
    """Check every file that a run has left.

    These are ledger, shards, data set, versions, the teacher's answers, run.json and rejected rows. The exit code is
    1 where something is damaged and was not taken out. A journal that the last run shared is checked too: repair it
    only while no other run uses it.

    Examples:
        fanno verify ./data
        fanno verify ./data --repair
        fanno verify ./data --json
    """
    with one_sentence_errors():
        found = _verify(open_location(out), repair)
    damaged = bool(found.all)
    if as_json:
        typer.echo(json.dumps(_document(found, repaired=repair and damaged), indent=2))
    else:
        for line in _lines(found, out, repair=repair):
            typer.echo(line)
    if damaged and not repair:
        raise typer.Exit(1)


def _verify(out: Location, repair: bool) -> Findings:
    if not (out / "work").is_dir():
        raise RunStops(f"{out} holds no run: name the folder that was --out")
    with owned(out):
        shared = shared_journal_of(out)
        found = _look(out, shared)
        if repair:
            take_out(out, found.damaged)
            mend_versions(Store(out))
            if found.journal:
                mend_journal(out, shared)
            # What was made from the entries that are gone now may be at odds with those that are left.
            take_out(out, check_record(Store(out), check_ledger(Store(out))[0].values()))
    return found


def _look(out: Location, shared: str) -> Findings:
    store = Store(out)
    entries, damaged = check_ledger(store)
    # Later publications write over the files of earlier ones, so these are held against the manifest.
    published = {path: entry for path, entry in entries.items() if MANIFEST in entry.extras}
    others = {path: entry for path, entry in entries.items() if path not in published}
    damaged += check_files(store, others) + check_dataset(out, published) + check_record(store, entries.values())
    versions = tuple(check_versions(store, entries))
    files = len({ref.path for entry in entries.values() for ref in entry.files})
    return Findings(len(entries), files, tuple(sorted(damaged)), versions, tuple(check_journal(out, shared)))


def _document(found: Findings, repaired: bool) -> dict[str, Any]:
    damaged = [asdict(damage) for damage in found.all]
    return {"entries": found.entries, "files": found.files, "damaged": damaged, "repaired": repaired}


def _lines(found: Findings, out: str, repair: bool) -> Iterator[str]:
    damaged = found.all
    for damage in damaged:
        yield f"{damage.path} {damage.what}"
    checked = f"{found.entries:,} ledger entries, {found.files:,} files and the journal"
    if not damaged:
        yield f"{checked}: whole"
        return
    yield f"{checked}: {len(damaged):,} damaged"
    if repair:
        again = "refresh" if (open_location(out) / VERSIONS).is_dir() else "run"
        yield f"taken out; the run that made them redoes just that: fanno {again} --corpus ... --out {out}"
    else:
        yield f"to take out what is damaged, so that the next run redoes just that: fanno verify {out} --repair"
