"""Whether the published data set is what its manifest and the ledger say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from fanno_core.dataset.current import CURRENT
from fanno_core.dataset.publish import FOLDER, MANIFEST
from fanno_core.store.durable import read_whole, sha256_of
from fanno_core.store.ledger import Entry, Store
from fanno_core.store.location import Location
from fanno_core.store.verify import Damage, check_files

PATH = f"{FOLDER}/{MANIFEST}"


def check_dataset(out: Location, entries: Mapping[str, Entry]) -> list[Damage]:
    """One damage for each file of a run's published data set that is not what was committed, and for its manifest.

    Versions have manifests of their own: see `check_versions`.

    Args:
        out: the output folder.
        entries: path to entry of the publications; all but the last are of data sets that it has replaced.

    Raises:
        TryAgain, RunStops: the object store cannot be reached, or refuses.
    """
    if has_versions(out):
        return []
    entries = {path: entry for path, entry in entries.items() if entry.extras[MANIFEST].path == PATH}
    try:
        data = read_whole(out / PATH)
    except OSError:
        return [Damage(PATH, "cannot be read: it is not there", tuple(entries))] if entries else []
    sha256 = sha256_of(data)
    current = tuple(path for path, entry in entries.items() if entry.extras[MANIFEST].sha256 == sha256)
    if not current:
        return [Damage(PATH, "is damaged, or its publication was cut off: no ledger entry names it", tuple(entries))]
    # The manifest, which the entry names, too, answers for its files: it goes with them.
    found = check_files(Store(out), {path: entries[path] for path in current})
    return [replace(damage, entries=(*damage.entries, PATH)) for damage in found]


def has_versions(out: Location) -> bool:
    """Whether the data set of this folder is that of a version."""
    return isinstance(out, Path) and (out / CURRENT).is_symlink()
