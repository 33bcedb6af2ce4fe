"""What a version carries from night to night besides the tables of a run."""

from __future__ import annotations

from dataclasses import dataclass

from fanno_core.store.contracts import Floats, column


@dataclass(frozen=True, slots=True)
class CorpusFile:
    """What stands under one name in the corpus: as long as its digest is the same, it is not opened."""

    id: str = column("16 hex digits of the SHA-256 of the name")
    name: str = column("name within the corpus")
    digest: str = column("SHA-256 of its bytes, format and licence, and of how texts are found in it and cut")


@dataclass(frozen=True, slots=True)
class Origin:
    """A document as it stands in the corpus: a row of a file, or a file that is one document."""

    id: str = column("16 hex digits of the SHA-256 of file, digest and how often both stood before")
    file: str = column("name of the file within the corpus")
    digest: str = column("SHA-256 of the row as it was read (text, source, own id, licence) and of how it is cut")
    name: str = column("what stays the same when the document is edited: its own id, or its place in the file")
    labels: str = column("digest of what its segments carry besides source and text: own id and licence")
    segments: tuple[str, ...] = column("ids of the segments that it gave", default=())
    repeats: tuple[str, ...] = column("ids of segments that it holds too, but that stood before", default=())
    bad_rows: tuple[str, ...] = column("ids of ingest's rejections of it: one a repeat, then the others", default=())


@dataclass(frozen=True, slots=True)
class Sketch:
    """A segment in the near-duplicate index."""

    id: str = column("id of the segment")
    words: int = column("number of words: of several copies the longest stays")
    digest: str = column("digest of the text but for case and white space")
    bands: str = column("hashes of its MinHash bands, 8 hex digits each")
    repeats: str = column("id of the segment that it repeats, or empty where it stands", default="")
    similarity: float = column("how similar it is to that one, in [0, 1]", default=0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Neighbours:
    """The screened documents that one is near to, in the order of falling cosine.

    A pair stands in one of its two rows or in both. Ids of withdrawn documents stay in the rows of others until
    those are written anew.
    """

    id: str = column("id of the document")
    near: tuple[str, ...] = column("ids of its nearest documents, then of others that have it among their nearest")
    cosines: Floats = column("cosine to each of them")
    nearest: int = column("how many of them, the first ones, were its nearest of all when the row was written")


@dataclass(frozen=True, slots=True)
class Member:
    """A screened document's place in the partition."""

    id: str = column("id of the document")
    community: str = column("id of its community, the same from version to version; empty: it is in none")
    built: str = column("id of its community at the last full build, or where it joined after that")
    topic: int = column("its topic")
    words: int = column("number of words")
    represents: bool = column("whether it stands for its community and is asked for instructions")
    asked: bool = column("whether it has been asked", default=False)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A row that a night had no budget left for."""

    id: str = column("id of the document or instruction")
    what: str = column("what it waits for: a verdict, its turn, or a response")


@dataclass(frozen=True, slots=True)
class Gone:
    """A row that has to leave a table."""

    id: str = column("kind and row, which is the key here")
    kind: str = column("what kind of row it is")
    row: str = column("id of the row")


@dataclass(frozen=True, slots=True)
class Count:
    """A figure that one task tells another."""

    id: str = column("what is counted")
    count: float = column("how many, or which share")
