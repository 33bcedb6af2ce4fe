"""Whether versions are whole, and what is done about one that is not: it goes, and the next refresh makes up for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from fanno_core.dataset.current import CURRENT, REPORT, THROUGH, current_number, publish
from fanno_core.dataset.made import VERSIONS
from fanno_core.dataset.manifest import MANIFEST, PUBLISHED, read_state, read_version, version_numbers, wrong_files
from fanno_core.dataset.sweep import entries_of, remove_version
from fanno_core.errors import ShardDamaged
from fanno_core.store.durable import sync_folder
from fanno_core.store.ledger import Entry, FileRef, Store
from fanno_core.store.objects import at_once
from fanno_core.store.verify import Damage

Known = dict[str, Damage | None]
LOST = "--repair removes the version, and the next refresh makes up for it"


def check_versions(store: Store, entries: Mapping[str, Entry]) -> list[Damage]:
    """One damage for each thing that is wrong with the versions of a folder; none where it has no versions.

    Args:
        store: the shards; on an object store there are no versions.
        entries: every readable ledger entry by its path; their files are not looked at again.
    """
    out = store.out
    if not isinstance(out, Path):
        return []
    known: Known = {ref.path: None for entry in entries.values() for ref in entry.files}
    found = {damage for number in version_numbers(out) for damage in _wrong(store, number, known)}
    return sorted(found | {*_wrong_links(out)})


def mend_versions(store: Store) -> list[int]:
    """Removes versions that are not whole, once their damaged shards are taken out: the numbers of those removed.

    Where the current one is among them, the newest whole one that was published before takes its place; where there
    is none, readers find nothing. Only for the one who owns the folder.

    Raises:
        RunStops: a link cannot be made.
    """
    out = store.out
    if not isinstance(out, Path):
        return []
    numbers = version_numbers(out)
    known: Known = {}
    damaged = [number for number in numbers if next(_wrong(store, number, known), None)]
    if next(_wrong_links(out), None) or (_current(out) in damaged):
        _lead_to_whole(out, [number for number in numbers if number not in damaged])
    for number in damaged:
        remove_version(out, number)
    return damaged


def _wrong(store: Store, number: int, known: Known) -> Iterator[Damage]:
    """What is wrong with one version; of shards that were looked at, what is known of them."""
    out, folder = Path(str(store.out)), f"{VERSIONS}/{number:06d}"
    try:
        version = read_version(out, number)
    except ShardDamaged:
        yield Damage(f"{folder}/{MANIFEST}", f"is missing or damaged; {LOST}")
        return
    wrong = wrong_files(out, version)
    yield from (Damage(path, f"{what}; {LOST}") for path, what in wrong)
    if wrong:
        return
    refs = {*read_state(out, number).files}
    try:
        refs |= {ref for entry in entries_of(out, number) for ref in entry.files}
    except ShardDamaged as error:
        yield Damage(folder, f"names what cannot be read ({error}); {LOST}")
    new = [ref for ref in refs if ref.path not in known and not ref.path.startswith(folder)]
    known |= dict(zip((ref.path for ref in new), at_once(lambda ref: _wrong_shard(store, ref), new), strict=True))
    yield from (damage for path in sorted({ref.path for ref in refs}) if (damage := known.get(path)))


def _wrong_shard(store: Store, ref: FileRef) -> Damage | None:
    try:
        store.bytes_of(ref)
    except ShardDamaged as error:
        return Damage(
            ref.path, f"{str(error).removeprefix(ref.path).strip()}; --repair removes the versions that name it"
        )
    return None


def _wrong_links(out: Path) -> Iterator[Damage]:
    """What is wrong with `current` and the names that lead through it; nothing before the first publication."""
    try:
        number = current_number(out)
    except ShardDamaged:
        yield Damage(CURRENT, f"leads to no version; publish one: fanno rollback {out} V")
        return
    if not number:
        return
    again = f"publish the version again: fanno rollback {out} {number}"
    try:
        if read_version(out, number).status != PUBLISHED:
            yield Damage(CURRENT, f"leads to a version that is held; {again}")
    except ShardDamaged:
        pass  # told of the version itself
    for name in THROUGH:
        path = out / name
        if not path.is_symlink() or str(path.readlink()) != f"{CURRENT}/{name}":
            yield Damage(name, f"does not lead to the current version; {again}")


def _current(out: Path) -> int:
    try:
        return current_number(out)
    except ShardDamaged:
        return 0


def _lead_to_whole(out: Path, whole: list[int]) -> None:
    """Publishes the current version again where it is whole, or else the newest whole one that was published."""
    published = [number for number in whole if read_version(out, number).status == PUBLISHED]
    now = _current(out)
    link = out / CURRENT
    if link.is_dir() and not link.is_symlink():
        return  # what people have put there they have to remove
    if published:
        publish(out, now if now in whole else published[-1])
        return
    for name in (CURRENT, *THROUGH, REPORT):
        if (out / name).is_symlink():
            (out / name).unlink()
    sync_folder(out)
