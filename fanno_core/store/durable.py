"""Bytes to where they stay, so that a reader sees the whole file or none of it, also after a power cut.

On the disk: temporary file, fsync, rename. On an object store one put does it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from fanno_core.errors import RunStops
from fanno_core.store import objects
from fanno_core.store.location import Location

Item = TypeVar("Item")
Made = TypeVar("Made")

TEMPORARY = ".{name}.{pid}.tmp"
# More gain nothing, and each costs a thread.
FLUSHES_AT_ONCE = 8


def write_durably(path: Location, data: bytes) -> None:
    """Writes a file: temporary file beside it, flush, fsync, rename, fsync of the folder.

    Raises:
        RunStops: the disk is full, or does not take the file for another reason.
        TryAgain, RunStops: the object store cannot be reached, or refuses.
    """
    if not isinstance(path, Path):
        objects.write_object(path, data)
        return
    with _told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, data)
        sync_folder(path.parent)


def write_all_durably(folder: Location, files: Mapping[str, bytes]) -> None:
    """Writes files into a folder, those left out that it already holds; it lasts for all of them, or for some.

    The disk is asked to flush many files at once, and the folder once: it then serves them together.

    Args:
        folder: made where it is not there.
        files: name to bytes.

    Raises:
        RunStops: the disk is full, or does not take a file for another reason.
        TryAgain, RunStops: the object store cannot be reached, or refuses.
    """
    if not isinstance(folder, Path):
        objects.at_once(lambda file: write_if_changed(folder / file[0], file[1]), files.items())
        return
    if not files:
        return
    with _told(folder):
        folder.mkdir(parents=True, exist_ok=True)
        objects.at_once(lambda file: _write_unless_there(folder / file[0], file[1]), files.items(), FLUSHES_AT_ONCE)
        sync_folder(folder)


def _write_unless_there(path: Path, data: bytes) -> None:
    with suppress(FileNotFoundError):
        if path.read_bytes() == data:
            return
    _replace(path, data)


def _replace(path: Path, data: bytes) -> None:
    temporary = path.with_name(TEMPORARY.format(name=path.name, pid=os.getpid()))
    try:
        _write_synced(temporary, data)
        temporary.replace(path)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise RunStops(
            f"{path} cannot be written ({why}); see to the disk and run again, what is done is kept"
        ) from None


def _write_synced(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def read_whole(path: Location) -> bytes:
    """The bytes of a file.

    Raises:
        OSError: it is not there, or the disk cannot read it.
        TryAgain, RunStops: the object store cannot be reached, or refuses.
    """
    return path.read_bytes() if isinstance(path, Path) else objects.read_object(path)


def write_if_changed(path: Location, data: bytes) -> None:
    """Writes a file durably, unless it already holds these bytes.

    Raises:
        TryAgain, RunStops: the object store cannot be reached, or refuses.
    """
    try:
        same = read_whole(path) == data
    except FileNotFoundError:
        same = False
    if not same:
        write_durably(path, data)


def names_in(folder: Location) -> list[str]:
    """Sorted names of the files right in a folder; none where there is no such folder.

    Raises:
        TryAgain, RunStops: the object store cannot be reached, or refuses.
    """
    if not isinstance(folder, Path):
        return objects.names_after(folder)
    return sorted(file.name for file in folder.iterdir()) if folder.is_dir() else []


def remove_files(folder: Location, names: Iterable[str]) -> None:
    """Removes these files from a folder, so that they stay removed; those that are not there are passed over.

    Raises:
        TryAgain, RunStops: the object store cannot be reached, or refuses.
    """
    for name in names:
        path = folder / name
        if isinstance(path, Path):
            path.unlink(missing_ok=True)
        else:
            objects.remove_object(path)
    if isinstance(folder, Path) and folder.is_dir():
        sync_folder(folder)


def each(where: Location, function: Callable[[Item], Made], items: Iterable[Item]) -> list[Made]:
    """What the function makes of each item, in their order: one by one for the disk, several at once for a store."""
    return [function(item) for item in items] if isinstance(where, Path) else objects.at_once(function, items)


def sweep_temporaries(folders: Iterable[Location]) -> None:
    """Removes what killed writers left in and below these folders; only for the one who owns them.

    On an object store there is nothing to remove: a put that was cut off left no object.
    """
    for folder in folders:
        if isinstance(folder, Path):
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
