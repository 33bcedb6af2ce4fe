"""Whether a ledger tells the truth: every entry reads as it was written, and every file that it names is whole.

`Store.find` asks the same of one piece of work; this asks it of all, and says what is wrong instead of redoing it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath

from fanno_core.errors import ShardDamaged
from fanno_core.store.durable import each, names_in, read_whole, remove_files, sha256_of
from fanno_core.store.fingerprint import canonical
from fanno_core.store.ledger import Entry, FileRef, Store
from fanno_core.store.location import Location

LEDGER = "work/ledger"


@dataclass(frozen=True, slots=True, order=True)
class Damage:
    """One damaged file: its path below OUT, what is wrong with it, and the ledger entries that answer for it."""

    path: str
    what: str
    entries: tuple[str, ...] = ()


def check_ledger(store: Store) -> tuple[dict[str, Entry], list[Damage]]:
    """The readable entries by their path, and one damage for each of the others.

    Raises:
        TryAgain, RunStops: the object store cannot be reached, or refuses.
    """
    paths = entry_paths(store.out)
    read = each(store.out, partial(_read_entry, store.out), paths)
    entries = {path: found for path, found in zip(paths, read, strict=True) if isinstance(found, Entry)}
    return entries, [found for found in read if isinstance(found, Damage)]


def check_files(store: Store, entries: Mapping[str, Entry]) -> list[Damage]:
    """One damage for each file of these entries that is missing or changed.

    Args:
        store: the shards.
        entries: path of an entry to the entry.

    Raises:
        TryAgain, RunStops: the object store cannot be reached, or refuses.
    """
    named: dict[FileRef, list[str]] = {}
    for path, entry in entries.items():
        for ref in entry.files:
            named.setdefault(ref, []).append(path)

    def check(ref: FileRef) -> Damage | None:
        try:
            store.bytes_of(ref)
        except ShardDamaged as error:
            return Damage(ref.path, str(error).removeprefix(ref.path).strip(), tuple(named[ref]))
        return None

    return [damage for damage in each(store.out, check, named) if damage]


def take_out(out: Location, damages: Iterable[Damage]) -> None:
    """Removes damaged files, and before them the entries that answer for them, so that their work counts as not done.

    Only for the one who owns the folder.

    Raises:
        TryAgain, RunStops: the object store cannot be reached, or refuses.
    """
    damages = list(damages)
    entries = {path for damage in damages for path in damage.entries}
    for path in [*sorted(entries), *sorted({damage.path for damage in damages} - entries)]:
        place = PurePosixPath(path)
        remove_files(out / str(place.parent), [place.name])


def entry_paths(out: Location) -> list[str]:
    """Path below OUT of every ledger entry, in order."""
    ledger = out / LEDGER
    phases = sorted(folder.name for folder in ledger.iterdir()) if ledger.is_dir() else []
    return [
        f"{LEDGER}/{phase}/{name}"
        for phase in phases
        for name in names_in(ledger / phase)
        if not name.startswith(".")  # what a killed writer left
    ]


def _read_entry(out: Location, path: str) -> Entry | Damage:
    place = PurePosixPath(path)
    try:
        record = json.loads(read_whole(out / path))
        entry = Entry.from_json(record["entry"])
        if record["sha256"] != sha256_of(canonical(record["entry"]).encode()):
            return Damage(path, "is damaged: it is not what was written", (path,))
    except OSError as error:
        return Damage(path, f"cannot be read: {error.strerror or 'it is not there'}", (path,))
    except (ValueError, KeyError, TypeError, AttributeError):
        return Damage(path, "is damaged: it cannot be read as an entry", (path,))
    if (entry.phase, f"{entry.key}.json") != (place.parent.name, place.name):
        return Damage(path, f"is the entry of other work: {entry.phase} {entry.key}", (path,))
    return entry
