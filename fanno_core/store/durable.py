"""Bytes to disk so that a reader sees the whole file or none of it, also after a power cut."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

TEMPORARY = ".{name}.{pid}.tmp"


def write_durably(path: Path, data: bytes) -> None:
    """Writes a file: temporary file beside it, flush, fsync, rename, fsync of the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(TEMPORARY.format(name=path.name, pid=os.getpid()))
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_if_changed(path: Path, data: bytes) -> None:
    """Writes a file durably, unless it already holds these bytes."""
    if not (path.is_file() and path.read_bytes() == data):
        write_durably(path, data)


def sweep_temporaries(folders: Iterable[Path]) -> None:
    """Removes what killed writers left in and below these folders; only for the one who owns them."""
    for folder in folders:
        for file in folder.rglob(TEMPORARY.format(name="*", pid="*")):
            file.unlink()


def sync_folder(folder: Path) -> None:
    """Makes renames and removals within a folder last."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sha256_of(data: bytes) -> str:
    """Hex SHA-256 of some bytes."""
    return hashlib.sha256(data).hexdigest()


def file_digest(path: Path) -> str:
    """Hex SHA-256 of a file of any size."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
