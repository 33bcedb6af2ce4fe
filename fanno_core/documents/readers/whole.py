"""Files that are one document each: plain text, Markdown, reStructuredText, HTML."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from fanno_core.documents.readers.contract import RawDocument, Reader, Source
from fanno_core.documents.readers.opening import read_text
from fanno_core.settings import Ingest


def whole_file(to_text: Callable[[str], str]) -> Reader:
    """A reader whose one document is the file, its markup turned into text."""

    def read(source: Source, settings: Ingest) -> Iterator[RawDocument]:  # noqa: ARG001
        yield RawDocument(to_text(read_text(source)))

    return read
