"""`OUT/dataset/`: the files that people load, and the manifest that says what they hold."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from fanno_core.dataset.card import Provenance, card_bytes
from fanno_core.dataset.formats import alpaca_bytes, digest_of, messages_bytes, parquet_bytes
from fanno_core.settings import Publish
from fanno_core.store.contracts import Example
from fanno_core.store.durable import names_in, read_whole, remove_files, sha256_of, write_if_changed
from fanno_core.store.ledger import FileRef
from fanno_core.store.location import Location

FOLDER = "dataset"
MANIFEST = "manifest.json"
TRAIN = "train-{}-of-{}.parquet"
NOTHING: dict[str, Any] = {"rows": 0, "digest": "", "files": {}}


def publish_dataset(
    rows: Sequence[Example], out: Location, settings: Publish, provenance: Provenance
) -> tuple[tuple[FileRef, ...], dict[str, FileRef]]:
    """Writes the data set, without the files of an earlier one; what others put into the folder stays.

    The manifest comes last, so that a run that is killed in between is done again.

    Returns:
        The Parquet files, and the other files by name. All hold the rows in the order of their ids.
    """
    rows = sorted(rows, key=lambda row: row.id)
    chunks = [rows[i : i + settings.shard_rows] for i in range(0, len(rows), settings.shard_rows)]
    parquet = {
        TRAIN.format(f"{number:05d}", f"{len(chunks):05d}"): (parquet_bytes(chunk, settings.system), len(chunk))
        for number, chunk in enumerate(chunks)
    }
    digests = {name: sha256_of(data) for name, (data, _) in parquet.items()}
    others = files_beside(digests, rows, settings, provenance)
    folder = out / FOLDER
    # Whatever carries such a name is loaded as rows, also what a killed run wrote that no manifest names.
    rows_in = {name for name in names_in(folder) if fnmatchcase(name, TRAIN.format("?" * 5, "?" * 5))}
    remove_files(folder, sorted((rows_in | {*read_manifest(out)["files"]}) - {*parquet, *others}))
    for name, (data, _) in (parquet | others).items():
        write_if_changed(folder / name, data)
    return (
        tuple(_ref(name, data, count) for name, (data, count) in parquet.items()),
        {name: _ref(name, data, count) for name, (data, count) in others.items()},
    )


def files_beside(
    parquet: Mapping[str, str], rows: Sequence[Example], settings: Publish, provenance: Provenance
) -> dict[str, tuple[bytes, int]]:
    """Name to bytes and rows of what lies beside the Parquet files: two formats, the card, and last the manifest.

    Args:
        parquet: name of each Parquet file to its SHA-256.
        rows: all rows, in the order of their ids.
        settings: name and system message.
        provenance: what the card tells of the run.
    """
    digest = digest_of(rows, settings.system)
    files = {
        "alpaca.json": (alpaca_bytes(rows), len(rows)),
        "messages.jsonl": (messages_bytes(rows, settings.system), len(rows)),
        "README.md": (card_bytes(rows, settings, provenance, digest), 0),
    }
    digests = {**parquet, **{name: sha256_of(data) for name, (data, _) in files.items()}}
    manifest = {"rows": len(rows), "digest": digest, "files": digests}
    return {**files, MANIFEST: ((json.dumps(manifest, indent=2) + "\n").encode(), 0)}


def _ref(name: str, data: bytes, rows: int) -> FileRef:
    return FileRef(f"{FOLDER}/{name}", rows, sha256_of(data), name)


def read_manifest(out: Location, folder: str = FOLDER) -> dict[str, Any]:
    """The manifest of the data set that is published; no rows and no files where there is none to be read."""
    try:
        manifest = json.loads(read_whole(out / folder / MANIFEST))
        return {"rows": int(manifest["rows"]), "digest": str(manifest["digest"]), "files": dict(manifest["files"])}
    except (OSError, ValueError, TypeError, KeyError):
        return NOTHING
