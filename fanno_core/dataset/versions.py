"""Writing a version of the data set: `OUT/versions/NNNNNN/`, which is there as a whole or not at all."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fanno_core.dataset.card import Provenance
from fanno_core.dataset.made import VERSIONS
from fanno_core.dataset.manifest import (
    HELD,
    MANIFEST,
    PUBLISHED,
    Version,
    folder_of,
    read_state,
    read_version,
    version_numbers,
    wrong_files,
)
from fanno_core.dataset.publish import FOLDER as DATASET
from fanno_core.dataset.publish import MANIFEST as DATASET_MANIFEST
from fanno_core.dataset.publish import files_beside
from fanno_core.dataset.record import record_phase, rejected_bytes
from fanno_core.dataset.row_files import link_files, row_files
from fanno_core.errors import ShardDamaged
from fanno_core.refresh.state import State
from fanno_core.settings import Publish
from fanno_core.store.contracts import Example
from fanno_core.store.durable import sha256_of, sync_folder, write_all_durably
from fanno_core.store.ledger import Entry, FileRef, Store
from fanno_core.store.objects import at_once
from fanno_core.store.tables import rows_of

PHASE = "publish"
REJECTED = "rejected/rejected.parquet"
BUILDING = ".building"
"""The folder beside the versions in which one is being written."""


@dataclass(frozen=True)
class NewVersion:
    """What a version is made of.

    Attributes:
        state: the tables that it carries; the rows of the data set are those of `examples`.
        entries: one or several for each phase but publishing, in their order. They are recorded with the version.
        record: what `run.json` is to hold, but for `dataset`, `work` and the phase that is written here.
        provenance: what the card tells.
        settings: name and system message of the data set.
        parent: number of the version that it was made from; 0 where there was none.
        reasons: why it is not to be published, one sentence each; none: it may be.
    """

    state: State
    entries: Sequence[Entry]
    record: Mapping[str, Any]
    provenance: Provenance
    settings: Publish
    parent: int = 0
    reasons: tuple[str, ...] = ()

    @property
    def status(self) -> str:
        """Whether the version may be published as it is."""
        return HELD if self.reasons else PUBLISHED


def write_version(out: Path, new: NewVersion) -> Version:
    """The version, written as the next one; nobody reads it before it is published.

    A writer that is killed leaves the versions as they were. One that was killed after its version was whole finds
    that version, and does not write it again. Only for the one who owns the folder.

    Raises:
        ShardDamaged: a shard that the state or an entry names is missing or damaged.
        RunStops: the disk does not take the files.
    """
    clear_leftovers(out)
    numbers = version_numbers(out)
    again = _written_before(out, numbers[-1], new) if numbers else None
    if again:
        return again
    number, building = (numbers[-1] if numbers else 0) + 1, out / VERSIONS / BUILDING
    started = time.perf_counter()
    entry, digest = _write_dataset(out, building / DATASET, new, number)
    entries = [*new.entries, entry]
    seconds = time.perf_counter() - started
    others = {
        REJECTED: rejected_bytes(Store(out), new.entries),
        "run.json": _json({**new.record, **_work(new.record, entries, digest, seconds)}),
        "state.json": _json(new.state.to_json(), indent=None),
    }
    files = {f"{DATASET}/{ref.label}": ref.sha256 for ref in entry.files}
    files |= {name: sha256_of(data) for name, data in others.items()}
    now = datetime.now(UTC).isoformat(timespec="seconds")
    version = Version(number, new.parent, new.status, entry.rows_in, digest, files, new.reasons, now)
    _write_into(building, {**others, MANIFEST: version.to_bytes()})
    _record(Store(out), entries)
    building.rename(folder_of(out, number))
    sync_folder(out / VERSIONS)
    return version


def clear_leftovers(out: Path) -> None:
    """Removes folders that killed writers and sweepers left; only for the one who owns the folder."""
    for folder in (out / VERSIONS).glob(".*"):
        shutil.rmtree(folder)


def _write_dataset(out: Path, folder: Path, new: NewVersion, number: int) -> tuple[Entry, str]:
    """Writes the data set's folder: the entry that names its files as they will lie, and the digest of its rows."""
    refs, system = new.state["examples"], new.settings.system
    table = Store(out).table(refs, Example)
    parquet = row_files(out, refs, table, system)
    rows = sorted(rows_of(table, Example), key=lambda row: row.id)
    others = files_beside({file.name: file.shard.sha256 for file in parquet}, rows, new.settings, new.provenance)
    folder.mkdir(parents=True)
    link_files(out, parquet, folder)
    write_all_durably(folder, {name: data for name, (data, _) in others.items()})

    def ref(name: str, count: int, sha256: str) -> FileRef:
        return FileRef(f"{VERSIONS}/{number:06d}/{DATASET}/{name}", count, sha256, name)

    kept = tuple(ref(file.name, file.shard.rows, file.shard.sha256) for file in parquet)
    extras = {name: ref(name, count, sha256_of(data)) for name, (data, count) in others.items()}
    digest: str = json.loads(others[DATASET_MANIFEST][0])["digest"]
    return Entry(PHASE, f"version-{number:06d}", len(rows), len(rows), kept, (), extras), digest


def _work(record: Mapping[str, Any], entries: Sequence[Entry], digest: str, seconds: float) -> dict[str, Any]:
    """What `run.json` says of the data set, of the entries, and of the phase that has written them."""
    work: dict[str, list[str]] = {}
    for entry in entries:
        work.setdefault(entry.phase, []).append(entry.key)
    publish = entries[-1]
    phases = [phase for phase in record["phases"] if phase["name"] != PHASE]
    phases.append(asdict(record_phase(PHASE, [publish], [publish], seconds)))
    return {"phases": phases, "dataset": {"rows": publish.rows_in, "digest": digest}, "work": work}


def _write_into(folder: Path, files: Mapping[str, bytes]) -> None:
    """Writes the files, whose names may have a folder, so that they and the folders last."""
    by_folder: dict[Path, dict[str, bytes]] = {folder / DATASET: {}}
    for name, data in files.items():
        path = folder / name
        by_folder.setdefault(path.parent, {})[path.name] = data
    for place, group in by_folder.items():
        place.mkdir(exist_ok=True)
        write_all_durably(place, group)
        sync_folder(place)
    sync_folder(folder)


def _record(store: Store, entries: Sequence[Entry]) -> None:
    """Records those entries that the ledger does not hold yet."""

    def record(entry: Entry) -> None:
        try:
            held = store.entry(entry.phase, entry.key)
        except ShardDamaged:
            held = None
        if held != entry:
            store.record(entry)

    at_once(record, entries)


def _written_before(out: Path, number: int, new: NewVersion) -> Version | None:
    """The last version, where it was made of the same; whoever wrote it was killed before it could say so."""
    try:
        version = read_version(out, number)
        record = json.loads((folder_of(out, number) / "run.json").read_bytes())
        same = (version.parent, version.reasons) == (new.parent, new.reasons) and read_state(out, number) == new.state
        same = same and record["settings"] == new.record["settings"]
    except (ShardDamaged, OSError, ValueError, KeyError):
        return None
    return version if same and not wrong_files(out, version) else None


def _json(value: Any, indent: int | None = 2) -> bytes:
    return (json.dumps(value, indent=indent, ensure_ascii=False) + "\n").encode()
