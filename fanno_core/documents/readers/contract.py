"""The seam of the readers: what each is given and what each gives back.

A reader is a function from a source and the ingest settings to its rows. A row that cannot be read is a
`BadRow` among the others; a file that cannot be read raises `RowStops`, which rejects the whole file with
one reason. A reader never skips a row silently.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from fanno_core.settings import Ingest


@dataclass(frozen=True, slots=True)
class Source:
    """A file of the corpus.

    `path` opens it and stays out of every row; `name` is portable and goes into them. `digest` is the SHA-256
    of the file's bytes in hex, or empty where they cannot be read. `licence` is what is known beforehand;
    a row's own licence comes first.
    """

    path: str
    name: str
    format: str
    compression: str
    digest: str
    licence: str = ""


@dataclass(frozen=True, slots=True)
class RawDocument:
    """A text as a reader found it. `location` is its place within the source, empty for the whole file."""

    text: str
    location: str = ""
    source: str = ""
    carried_id: str = ""
    licence: str = ""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be read: its reason code, its place, and a detail without the row's text."""

    reason: str
    location: str
    detail: str = ""


Reader = Callable[[Source, Ingest], Iterator[RawDocument | BadRow]]
