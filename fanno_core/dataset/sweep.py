"""Removing versions that nobody asked to keep, and whatever only they named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fanno_core.dataset.current import current_number
from fanno_core.dataset.made import VERSIONS
from fanno_core.dataset.manifest import folder_of, read_state, read_version, version_numbers
from fanno_core.dataset.row_files import SHARDS
from fanno_core.dataset.versions import clear_leftovers
from fanno_core.errors import ShardDamaged
from fanno_core.store.durable import read_whole, remove_files, sync_folder
from fanno_core.store.ledger import Entry, Store
from fanno_core.store.verify import LEDGER, entry_paths

GONE = ".gone-{number:06d}"


@dataclass(frozen=True, slots=True)
class Swept:
    """How much was removed: numbers of versions, ledger entries, shards and the bytes of these."""

    versions: tuple[int, ...]
    entries: int
    shards: int
    bytes: int


def sweep(out: Path, keep: int) -> Swept:
    """Keeps the newest versions and the current one; the others go, and what none that stays names goes with them.

    A sweeper that is killed leaves versions whole or gone; the next one removes the rest. Only for the one who owns
    the folder, and between two nights: work that no version names yet goes, too.

    Args:
        out: the output folder.
        keep: how many of the newest versions stay, at least 1.

    Raises:
        ShardDamaged: a version that stays cannot be read, so that nobody knows what it names; nothing is removed.
    """
    clear_leftovers(out)
    numbers = version_numbers(out)
    stay = {*numbers[-keep:], current_number(out)} - {0}
    if not stay:  # all that is there belongs to a plain run
        return Swept((), 0, 0, 0)
    entries, files = _named_by(out, sorted(stay))
    gone = [number for number in numbers if number not in stay]
    for number in gone:
        remove_version(out, number)
    # Entries go before the shards that they name: an entry without its shards would be damage.
    removed, _ = _remove_others(out, entry_paths(out), entries)
    shards = sorted(path.relative_to(out).as_posix() for path in (out / "work" / "shards").glob("*/*"))
    return Swept(tuple(gone), removed, *_remove_others(out, shards, files))


def remove_version(out: Path, number: int) -> None:
    """Removes one version, whole and in one step; what only it named stays until the next `sweep`."""
    folder = folder_of(out, number)
    aside = folder.with_name(GONE.format(number=number))
    folder.rename(aside)
    sync_folder(aside.parent)
    shutil.rmtree(aside)


def entries_of(out: Path, number: int) -> list[Entry]:
    """The ledger's entries that a version names.

    Raises:
        ShardDamaged: its record or one of them is missing or damaged.
    """
    path = f"{VERSIONS}/{number:06d}/run.json"
    try:
        work = json.loads(read_whole(out / path))["work"]
    except (OSError, ValueError, KeyError):
        raise ShardDamaged(f"{path} is missing or damaged; `fanno verify {out}` names what is") from None
    store = Store(out)
    return [store.entry(phase, key) for phase, keys in work.items() for key in keys]


def _named_by(out: Path, numbers: Sequence[int]) -> tuple[set[str], set[str]]:
    """Paths below OUT of the entries and of the shards that these versions name."""
    entries: set[str] = set()
    files: set[str] = set()
    linked: set[str] = set()
    for number in numbers:
        linked |= {sha256[:16] for sha256 in read_version(out, number).files.values()}
        files |= {ref.path for ref in read_state(out, number).files}
        for entry in entries_of(out, number):
            entries.add(f"{LEDGER}/{entry.phase}/{entry.key}.json")
            files |= {ref.path for ref in entry.files}
    # The data set's files are links to shards whose names tell their bytes.
    shards = {f"{SHARDS}/{path.name}" for path in (out / SHARDS).glob("*") if path.stem[-16:] in linked}
    return entries, files | shards


def _remove_others(out: Path, paths: Iterable[str], stay: Collection[str]) -> tuple[int, int]:
    """Removes the files that are not to stay: how many, and their bytes."""
    by_folder: dict[Path, list[str]] = {}
    freed = 0
    for path in paths:
        if path not in stay:
            freed += (out / path).stat().st_size
            by_folder.setdefault((out / path).parent, []).append(Path(path).name)
    for folder, names in by_folder.items():
        remove_files(folder, names)
    return sum(map(len, by_folder.values())), freed
