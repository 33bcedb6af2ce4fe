"""The files and rows of a corpus, each with a digest by which the next night knows it again."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fanno_core.documents.ingest import cut, rows_of
from fanno_core.documents.readers.contract import BadRow, RawDocument
from fanno_core.documents.readers.opening import digest_of
from fanno_core.documents.sources import Source
from fanno_core.errors import BadCorpus, RowStops
from fanno_core.refresh.contracts import CorpusFile
from fanno_core.settings import Ingest
from fanno_core.store.contracts import Document
from fanno_core.text import stable_id

FORGOTTEN = "forgotten"


@dataclass(frozen=True, slots=True)
class FileNow:
    """What stands under one name: usually one source, several where parts of a corpus use the same names."""

    row: CorpusFile
    sources: tuple[Source, ...]

    @property
    def whole(self) -> bool:
        """Whether every byte of it could be digested."""
        return all(source.digest for source in self.sources)


@dataclass(frozen=True, slots=True)
class RowNow:
    """A row as it was read."""

    id: str
    digest: str
    source: Source
    raw: RawDocument | BadRow


@dataclass(frozen=True, slots=True)
class Fresh:
    """A row whose segments are to be admitted; of those that are forgotten only a bad row is left."""

    row: RowNow
    found: tuple[Document | BadRow, ...]
    name: str
    labels: str

    @property
    def forgotten(self) -> bool:
        """Whether all that was found in it is forgotten."""
        return all(isinstance(piece, BadRow) and piece.reason == FORGOTTEN for piece in self.found)

    @property
    def segments(self) -> set[str]:
        """Ids of the segments found."""
        return {piece.id for piece in self.found if isinstance(piece, Document)}


def corpus_now(sources: Sequence[Source], settings: Ingest) -> dict[str, FileNow]:
    """The files by name. How they are read belongs to their digest, so that another way of reading opens them."""
    by_name: dict[str, list[Source]] = defaultdict(list)
    for source in sources:
        by_name[source.name].append(source)
    corpus = {}
    for name, group in by_name.items():
        contents = [(s.digest, s.format, s.compression, s.licence) for s in group]
        digest = hashlib.sha256(repr([settings.text_field, _cutting(settings), contents]).encode()).hexdigest()
        corpus[name] = FileNow(CorpusFile(stable_id(name), name, digest), tuple(group))
    return corpus


def _cutting(settings: Ingest) -> tuple[int, int]:
    return settings.segment_chars, settings.segment_min_chars


def read(file: FileNow, settings: Ingest, of_documents: Collection[str]) -> Iterator[RowNow]:
    """The rows of a file, each with its id; `of_documents` names the files of which documents stand.

    Raises:
        BadCorpus: as `compare`.
    """
    copies: Counter[str] = Counter()
    for source in file.sources:
        for raw in _rows_or_reason(source, settings, source.name in of_documents):
            digest = _digest(raw, source, settings)
            yield RowNow(stable_id(source.name, digest, str(copies[digest])), digest, source, raw)
            copies[digest] += 1


def _rows_or_reason(source: Source, settings: Ingest, stands: bool) -> Iterable[RawDocument | BadRow]:
    """The source's rows; of a file of which nothing stands one bad row if it cannot be read, as in a full run."""
    try:
        rows = rows_of(source, settings)
    except RowStops as stop:
        if stands:
            raise BadCorpus(
                f"document {source.name}: it cannot be read ({stop.reason}), though the last version holds documents "
                "of it; mend it, or take it out of the corpus to withdraw them"
            ) from None
        return [BadRow(stop.reason, "", str(stop))]
    if source.digest and digest_of(Path(source.path)) != source.digest:
        raise BadCorpus(f"document {source.name}: it changed while it was read; refresh again")
    return rows


def _digest(raw: RawDocument | BadRow, source: Source, settings: Ingest) -> str:
    """The same for rows of a file that give the same; a bad row gives a rejection, which names its place."""
    parts: tuple[str, ...]
    if isinstance(raw, BadRow):
        parts = ("bad", raw.reason, raw.location, raw.detail)
    else:
        how = "{} {}".format(*_cutting(settings))
        parts = (how, raw.source, raw.carried_id, raw.licence or source.licence, raw.text)
    lengths = " ".join(str(len(part)) for part in parts)
    return hashlib.sha256("\0".join((lengths, *parts)).encode("utf-8", "surrogatepass")).hexdigest()


def cut_row(row: RowNow, settings: Ingest, forgotten: Collection[str]) -> Fresh:
    """The row's segments, without the text of those that are forgotten."""
    found = tuple(cut(row.raw, row.source, settings))
    first = next((piece for piece in found if isinstance(piece, Document)), None)
    left = tuple(_unless_forgotten(piece, forgotten) for piece in found) if forgotten else found
    if first is None:
        return Fresh(row, left, row.raw.location, "")
    return Fresh(row, left, first.carried_id or row.raw.location, stable_id(first.carried_id, first.licence))


def _unless_forgotten(piece: Document | BadRow, forgotten: Collection[str]) -> Document | BadRow:
    if isinstance(piece, Document) and forgotten_key(piece.text) in forgotten:
        return BadRow(FORGOTTEN, piece.location)
    return piece


def forgotten_key(text: str) -> str:
    """SHA-256, in hex, of a segment's text as it was read, whatever its case and white space."""
    return hashlib.sha256(" ".join(text.casefold().split()).encode("utf-8", "surrogatepass")).hexdigest()
