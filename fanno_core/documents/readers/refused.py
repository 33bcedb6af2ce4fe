"""What is found in a corpus and is never opened."""

from __future__ import annotations

from collections.abc import Iterator

from fanno_core.documents.readers.contract import RawDocument, Reader, Source
from fanno_core.errors import RowStops
from fanno_core.settings import Ingest


def refused(reason: str, message: str) -> Reader:
    """A reader that rejects every file with this reason."""

    def read(source: Source, settings: Ingest) -> Iterator[RawDocument]:  # noqa: ARG001
        raise RowStops(reason, message)

    return read
