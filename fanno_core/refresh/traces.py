"""Where the text of forgotten documents still stands: every file below a folder, however it keeps its text.

Parquet is read, column after column; SQLite files are read, and their bytes are searched, so that pages that nobody
uses count, too; anything else is searched as it is, unpacked, and with the escapes of JSON, Markdown and HTML undone,
also where packed text stands as base64 within a page.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import html
import re
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from fanno_core.refresh.passages import Passages

PARQUET, SQLITE, GZIP = b"PAR1", b"SQLite format 3\0", b"\x1f\x8b"
ESCAPE = re.compile(rb"((?:\\u[0-9a-fA-F]{4})+)|\\(.)", re.DOTALL)
CONTROL = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"b": b"\b", b"f": b"\f"}
ENTITY = re.compile(rb"&(?:#|[A-Za-z]+;)")
PACKED = re.compile(rb"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{68,}")
"""Base64 of at least 51 bytes: fewer hold no passage, nor do they packed; so a SHA-256 in hex is passed over."""
MOST_ESCAPES = 3
"""JSON within JSON within JSON."""
MOST_LAYERS = 3
"""Packed text within packed text."""
BATCH_BYTES = 1 << 24


@dataclass(frozen=True, slots=True, order=True)
class Trace:
    """A place that holds passages.

    Attributes:
        path: of the file, below the folder.
        place: the column or table within it, or empty.
        windows: how many windows of 50 characters stand there.
    """

    path: str
    place: str
    windows: int


def traces(out: Path, passages: Passages) -> list[Trace]:
    """Every place below a folder where a passage stands, in order; links are not followed, and nothing is changed.

    Args:
        out: the folder, or one file; one that is not there holds nothing.
        passages: the texts to look for.
    """
    found = []
    for path in sorted(path for path in (out, *out.rglob("*")) if path.is_file() and not path.is_symlink()):
        name = str(path.relative_to(out)) if out.is_dir() else path.name
        for place, data in contents(path):
            if windows := windows_in(data, passages):
                found.append(Trace(name, place, windows))
    return sorted(set(found))


def windows_in(data: bytes, passages: Passages) -> int:
    """The most windows that stand in these bytes, read in any of the ways in which text is written down."""
    return max(map(passages.windows_in, readings(data)), default=0)


def stands_in(data: bytes, passages: Passages) -> bool:
    """Whether any passage stands in these bytes, read in any of the ways in which text is written down."""
    return any(map(passages.stand_in, readings(data)))


def holding(values: Sequence[bytes], passages: Passages) -> list[int]:
    """Places of the values in which a passage stands, read in any of the ways in which text is written down."""
    if not values:
        return []
    # Nothing holds a NUL, so no window stands across two values; most often none holds anything at all.
    if not stands_in(b"\0".join(values), passages):
        return []
    if len(values) == 1:
        return [0]
    half = len(values) // 2
    return [*holding(values[:half], passages), *(half + place for place in holding(values[half:], passages))]


def contents(path: Path) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of everything that a file holds: its own bytes, and where it is a table those of its columns."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:  # SQLite takes away what it keeps beside a database
        return
    yield "", data
    if data[:4] == PARQUET:
        yield from _read_or_nothing(path, _columns)
    elif data[: len(SQLITE)] == SQLITE:
        yield from _read_or_nothing(path, _tables)


def readings(data: bytes, layers: int = MOST_LAYERS) -> Iterator[bytes]:
    """The bytes as they are, then with escapes undone, and what is packed within them."""
    yield data
    if data[:2] == GZIP and layers:
        yield from readings(_unpacked(data), layers - 1)
    told, levels = data, 0
    while True:
        if ENTITY.search(told):
            yield html.unescape(told.decode("utf-8", "replace")).encode("utf-8", "replace")
        if levels == MOST_ESCAPES or b"\\" not in told:
            break
        told, levels = ESCAPE.sub(_unescaped, told), levels + 1
        yield told
    if layers:
        runs = [_decoded(run.group()) for run in PACKED.finditer(data)]
        packed = [run for run in runs if run[:2] == GZIP]
        for run in [*packed, b"\0".join(run for run in runs if run[:2] != GZIP)]:
            yield from readings(run, layers - 1)


def text_columns(table: pa.Table) -> Iterator[tuple[str, pa.Array]]:
    """Name and strings of each column that holds text, of those of lists and structures, too."""
    for name, column in zip(table.column_names, table.columns, strict=True):
        for chunk in column.chunks:
            for strings in _strings(chunk):
                yield name, strings


def _read_or_nothing(path: Path, read: Callable[[Path], Iterable[tuple[str, bytes]]]) -> Iterator[tuple[str, bytes]]:
    """What is in a file; of one that is damaged its bytes were told already."""
    try:
        yield from read(path)
    except (pa.ArrowException, OSError, sqlite3.Error):
        return


def _columns(path: Path) -> Iterator[tuple[str, bytes]]:
    file = pq.ParquetFile(path)
    names = [f.name for f in file.schema_arrow if _holds_text(f.type)]
    for name, strings in text_columns(file.read(columns=names, use_threads=False)):
        yield name, _joined(strings)


def _holds_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _holds_text(kind.value_type)
    return _is_text(kind) or any(_holds_text(kind.field(i).type) for i in range(kind.num_fields))


def _is_text(kind: pa.DataType) -> bool:
    return any(is_it(kind) for is_it in (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary))


def _strings(values: pa.Array) -> Iterator[pa.Array]:
    if pa.types.is_dictionary(values.type):
        yield from _strings(values.dictionary)
    elif pa.types.is_list(values.type) or pa.types.is_large_list(values.type):
        yield from _strings(values.flatten())
    elif pa.types.is_struct(values.type):
        for field in values.flatten():
            yield from _strings(field)
    elif _is_text(values.type):
        yield values


def _joined(strings: pa.Array) -> bytes:
    """The strings with a NUL between them, so that no passage stands across two of them."""
    values = strings.drop_null().cast(pa.large_binary())
    whole = pa.LargeListArray.from_arrays([0, len(values)], values)
    return bytes(pc.binary_join(whole, pa.scalar(b"\0", pa.large_binary()))[0].as_py())


def _tables(path: Path) -> Iterator[tuple[str, bytes]]:
    # Without a log nobody writes, and SQLite need not put files beside it.
    how = "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "immutable=1"
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True)) as connection:
        connection.text_factory = bytes
        names = [name.decode() for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for name in names:
            rows = connection.execute('SELECT * FROM "{}"'.format(name.replace('"', '""')))  # noqa: S608
            for batch in _batches(value for row in rows for value in row if isinstance(value, bytes)):
                yield name, b"\0".join(batch)


def _batches(values: Iterable[bytes]) -> Iterator[Sequence[bytes]]:
    batch: list[bytes] = []
    size = 0
    for value in values:
        batch.append(value)
        size += len(value)
        if size > BATCH_BYTES:
            yield batch
            batch, size = [], 0
    yield batch


def _unescaped(match: re.Match[bytes]) -> bytes:
    units, char = match.groups()
    if units is None:
        return CONTROL.get(char, char)
    text = bytes.fromhex(units.replace(b"\\u", b"").decode()).decode("utf-16-be", "replace")
    return text.encode("utf-8", "replace")


def _decoded(run: bytes) -> bytes:
    try:
        return base64.b64decode(run[: len(run) - (len(run) % 4 == 1)] + b"=" * (-len(run) % 4 % 3))
    except binascii.Error:
        return b""


def _unpacked(data: bytes) -> bytes:
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error):
        return b""
