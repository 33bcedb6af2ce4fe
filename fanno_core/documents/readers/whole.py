"""Files that are one document each: plain text, Markdown, reStructuredText, HTML."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from fanno_core.documents.marks import with_few_marks
from fanno_core.documents.readers.contract import RawDocument, Reader, Source
from fanno_core.documents.readers.opening import LIMIT_CHARS, read_text
from fanno_core.errors import RowStops
from fanno_core.settings import Ingest


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a text may be, in characters, and how many marks it may hold that its parser stops at."""

    chars: int = LIMIT_CHARS
    marks: tuple[str, ...] = ()
    most_marks: int = 0


def whole_file(to_text: Callable[[str], str], limits: Limits = Limits()) -> Reader:
    """A reader whose one document is the file, its markup turned into text; `too_large` beyond the limits."""

    def read(source: Source, settings: Ingest) -> Iterator[RawDocument]:  # noqa: ARG001
        text = read_text(source)
        if len(text) > limits.chars or sum(map(text.count, limits.marks)) > limits.most_marks:
            raise RowStops("too_large", "too long, or too much markup, to be parsed in seconds; split the file")
        yield RawDocument(to_text(with_few_marks(text)))

    return read
