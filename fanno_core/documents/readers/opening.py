"""Bytes of a source to text: decompression, decoding, and the faults of both as reason codes."""

from __future__ import annotations

import codecs
import hashlib
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import pyarrow as pa

from fanno_core.documents.readers.contract import Source
from fanno_core.errors import RowStops

# What is read in one piece must fit in memory several times over, four bytes a character: this is far above any
# document and below a worker's memory.
LIMIT_CHARS = 64 * 2**20
# Text shrinks to a third or a tenth, and the most repetitive logs to a fiftieth; gzip goes to a thousandth at most,
# zstd to less. What unpacks to more than this was made to do harm.
LARGEST_RATIO = 200
# Below this a ratio says nothing; as lines of two characters it is read in 4 s.
HARMLESS_BYTES = 4 * 2**20

# Arrow's codecs report a file that ends too early; zstandard's stream reader returns it as if it were whole.
BUFFER_BYTES = 64 * 2**10
CODECS = {"gz": "gzip", "zst": "zstd"}
BAD_COMPRESSION = {"gz": "bad_gzip", "zst": "bad_zstd"}


@contextmanager
def open_bytes(source: Source) -> Iterator[io.BufferedReader]:
    """The file's bytes, decompressed as they are read.

    Raises:
        RowStops: `unreadable`; or `bad_gzip`, `bad_zstd` or `bomb`, also while the bytes are being read.
    """
    try:
        with Path(source.path).open("rb") as file:
            yield _decompressed(file, source.compression)
    except OSError as error:
        # Arrow's faults carry no errno; the operating system's do.
        if error.errno is None and source.compression:
            message = f"damaged or truncated, or not {CODECS[source.compression]} at all"
            raise RowStops(BAD_COMPRESSION[source.compression], message) from None
        raise RowStops("unreadable", error.strerror or "the file cannot be read") from None


@contextmanager
def open_text(source: Source, errors: str = "strict") -> Iterator[TextIO]:
    """The file as a stream of text whose line ends are left as they are.

    UTF-16 is read where a byte order mark says so, UTF-8 otherwise.

    Raises:
        RowStops: as `open_bytes`; `binary`; `not_utf8`, also while the text is being read.
    """
    with open_bytes(source) as stream:
        head = stream.peek()
        encoding = "utf-16" if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
        if encoding == "utf-8-sig" and b"\0" in head:
            raise RowStops("binary", "holds NUL bytes")
        try:
            yield io.TextIOWrapper(stream, encoding, errors, newline="")
        except UnicodeDecodeError as error:
            raise _undecodable(error) from None


def digest_of(path: Path) -> str:
    """The SHA-256 of the file's bytes, in hex.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def lines_of(stream: TextIO) -> Iterator[str]:
    """The stream's lines with their ends.

    Raises:
        RowStops: `too_large` for a line that is.
    """
    while line := stream.readline(LIMIT_CHARS):
        if len(line) == LIMIT_CHARS:
            raise RowStops("too_large", f"a line of more than {LIMIT_CHARS >> 20} Mi characters; split it")
        yield line


def read_text(source: Source) -> str:
    """The whole file as text.

    Raises:
        RowStops: as `open_text`; `too_large`.
    """
    with open_text(source) as stream:
        text = stream.read(LIMIT_CHARS + 1)
    if len(text) > LIMIT_CHARS:
        raise RowStops("too_large", f"more than {LIMIT_CHARS >> 20} Mi characters in one piece; split the file")
    if "\0" in text:
        raise RowStops("binary", "holds NUL characters")
    return text


def _decompressed(file: io.BufferedReader, compression: str) -> io.BufferedReader:
    if not compression:
        return file
    if not file.peek():
        raise OSError("Arrow reads an empty file as an empty stream")
    packed_bytes = os.fstat(file.fileno()).st_size
    unpacked = pa.CompressedInputStream(file, CODECS[compression])
    return io.BufferedReader(_Bounded(unpacked, max(HARMLESS_BYTES, LARGEST_RATIO * packed_bytes)), BUFFER_BYTES)


class _Bounded(io.RawIOBase):
    """A stream that stops, rather than go on for ever, where more comes out of it than could be text."""

    def __init__(self, stream: pa.NativeFile, limit_bytes: int) -> None:
        self._stream = stream
        self._left = limit_bytes

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """How many bytes were read into the buffer; 0 at the end.

        Raises:
            RowStops: `bomb`.
        """
        data = self._stream.read(len(buffer))
        self._left -= len(data)
        if self._left < 0:
            raise RowStops("bomb", f"unpacks to more than {LARGEST_RATIO} times its size; unpack it to have it read")
        buffer[: len(data)] = data
        return len(data)


def _undecodable(error: UnicodeDecodeError) -> RowStops:
    if b"\0" in error.object:
        return RowStops("binary", "holds NUL bytes")
    return RowStops("not_utf8", "neither UTF-8 nor UTF-16 with a byte order mark; save it as UTF-8")
