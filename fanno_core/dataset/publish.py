"""`OUT/dataset/`: the files that people load, and the manifest that says what they hold."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from fanno_core.dataset.card import Provenance, card_bytes
from fanno_core.dataset.formats import alpaca_bytes, digest_of, messages_bytes, parquet_bytes
from fanno_core.settings import Publish
from fanno_core.store.contracts import Example
from fanno_core.store.durable import sha256_of, sync_folder, write_if_changed
from fanno_core.store.ledger import FileRef

FOLDER = "dataset"
MANIFEST = "manifest.json"


def publish_dataset(
    rows: Sequence[Example], out: Path, settings: Publish, provenance: Provenance
) -> tuple[tuple[FileRef, ...], dict[str, FileRef]]:
    """Writes the data set and removes what an earlier one left behind.

    Returns:
        The Parquet files, and the other files by name. All hold the rows in the order of their ids.
    """
    rows = sorted(rows, key=lambda row: row.id)
    digest = digest_of(rows)
    chunks = [rows[i : i + settings.shard_rows] for i in range(0, len(rows), settings.shard_rows)]
    parquet = {
        f"train-{number:05d}-of-{len(chunks):05d}.parquet": (parquet_bytes(chunk, settings.system), len(chunk))
        for number, chunk in enumerate(chunks)
    }
    others = {
        "alpaca.json": (alpaca_bytes(rows), len(rows)),
        "messages.jsonl": (messages_bytes(rows, settings.system), len(rows)),
        "README.md": (card_bytes(rows, settings, provenance, digest), 0),
    }
    manifest = {
        "rows": len(rows),
        "digest": digest,
        "files": {name: sha256_of(data) for name, (data, _) in (parquet | others).items()},
    }
    others[MANIFEST] = ((json.dumps(manifest, indent=2) + "\n").encode(), 0)
    folder = out / FOLDER
    for name, (data, _) in (parquet | others).items():
        write_if_changed(folder / name, data)
    _remove_others(folder, {*parquet, *others})
    return (
        tuple(_ref(name, data, count) for name, (data, count) in parquet.items()),
        {name: _ref(name, data, count) for name, (data, count) in others.items()},
    )


def _ref(name: str, data: bytes, rows: int) -> FileRef:
    return FileRef(f"{FOLDER}/{name}", rows, sha256_of(data), name)


def _remove_others(folder: Path, names: set[str]) -> None:
    for file in folder.iterdir():
        if file.is_file() and file.name not in names:
            file.unlink()
    sync_folder(folder)
