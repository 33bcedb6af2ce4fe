"""The Parquet files of a version, which it shares with other versions as far as their rows are the same."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from fanno_core.dataset.formats import with_messages
from fanno_core.store.contracts import Example
from fanno_core.store.durable import names_in, read_whole, sha256_of, write_all_durably
from fanno_core.store.fingerprint import fingerprint
from fanno_core.store.ledger import FileRef
from fanno_core.store.tables import sorted_table, table_bytes

SHARDS = "work/shards/publish"
ROWS = 1_024
"""Rows of a file, about: few enough that a night writes little anew, enough that a loader is not slow."""
VERSION = 1
"""Raised whenever the same shards would give other bytes."""
TRAIN = "train-{number:05d}-of-{count:05d}-{sha8}.parquet"
"""Names differ where bytes do: whoever asks for files of two versions gets an error, and never a mixture."""


@dataclass(frozen=True, slots=True)
class RowFile:
    """A Parquet file of the data set: its name there, and the shard that holds its bytes."""

    name: str
    shard: FileRef


def row_files(out: Path, refs: Sequence[FileRef], rows: pa.Table, system: str) -> list[RowFile]:
    """The Parquet files of these rows; those that an earlier version has made are found, and not made again.

    Args:
        out: the output folder.
        refs: the shards of the examples, as `carry` gives them.
        rows: what they hold, in their order.
        system: system message of the chats, or empty.

    Raises:
        RunStops: the disk does not take a file.
    """
    made = {name[:24]: name for name in names_in(out / SHARDS)}
    groups = {
        fingerprint("publish", VERSION, {"shards": [ref.sha256 for ref in group], "system": system}): slice_
        for group, slice_ in _groups(refs, rows)
    }
    found = {key: data for key in groups if (data := _found(out, made.get(key, ""))) is not None}
    new = {
        key: table_bytes(with_messages(sorted_table(part, Example), system))
        for key, part in groups.items()
        if key not in found
    }
    files = found | new
    digests = {key: sha256_of(data) for key, data in files.items()}
    write_all_durably(out / SHARDS, {_name(key, digests[key]): data for key, data in new.items()})
    return [
        RowFile(
            TRAIN.format(number=number, count=len(groups), sha8=digests[key][:8]),
            FileRef(f"{SHARDS}/{_name(key, digests[key])}", len(part), digests[key]),
        )
        for number, (key, part) in enumerate(groups.items())
    ]


def link_files(out: Path, files: Sequence[RowFile], folder: Path) -> None:
    """Puts the files into a folder: without copying their bytes, where the disk allows that."""
    for file in files:
        shard, path = out / file.shard.path, folder / file.name
        try:
            os.link(shard, path)
        except OSError:  # a file system without links, or one file with too many of them
            shutil.copyfile(shard, path)
            with path.open("rb") as copy:
                os.fsync(copy.fileno())


def _groups(refs: Sequence[FileRef], rows: pa.Table) -> Iterator[tuple[list[FileRef], pa.Table]]:
    """Neighbouring shards that make up a file, and their rows: the same shards at the same places of the table."""
    count = max((int(ref.label[-4:]) for ref in refs), default=1)
    files = min(count, 1 << (max(0, len(rows) - 1) // ROWS).bit_length())
    start = 0
    for number in range(files):
        group = [ref for ref in refs if int(ref.label[:4]) * files // count == number]
        size = sum(ref.rows for ref in group)
        if size:
            yield group, rows.slice(start, size)
        start += size


def _found(out: Path, name: str) -> bytes | None:
    """The bytes of a shard of this name, where it holds what its name says."""
    if not name:
        return None
    data = read_whole(out / SHARDS / name)
    return data if name == _name(name[:24], sha256_of(data)) else None


def _name(key: str, sha256: str) -> str:
    return f"{key}-{sha256[:16]}.parquet"
