"""What has changed in a corpus since the last version: only files and rows that are not as they were are cut anew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from fanno_core.documents.ingest import admit
from fanno_core.documents.sources import Source
from fanno_core.refresh.contracts import CorpusFile, Origin
from fanno_core.refresh.reading import FileNow, Fresh, corpus_now, cut_row, forgotten_key, read
from fanno_core.settings import Ingest
from fanno_core.store.contracts import Document, Rejection
from fanno_core.store.tables import rows_of as objects_of
from fanno_core.text import stable_id

__all__ = ["Changes", "compare", "forgotten_key"]


@dataclass(frozen=True, slots=True)
class Changes:
    """What a night has to do. Where an id stands both in what is gone and in what is new, gone comes first.

    A document is a row of which something could be read; other rows are counted nowhere.

    Attributes:
        added, changed, withdrawn: documents; changed ones as they are now.
        same: how many documents are as they were.
        segments: new ones, and those that stand but carry another id or licence of the corpus now.
        rejected: ingest's rejections of new rows.
        origins, files: new and renewed rows of their tables.
        gone_origins, gone_files, gone_segments, gone_rejections: ids of rows that must leave.
    """

    added: tuple[Origin, ...]
    changed: tuple[Origin, ...]
    withdrawn: tuple[Origin, ...]
    same: int
    segments: tuple[Document, ...]
    rejected: tuple[Rejection, ...]
    origins: tuple[Origin, ...]
    files: tuple[CorpusFile, ...]
    gone_origins: frozenset[str]
    gone_files: frozenset[str]
    gone_segments: frozenset[str]
    gone_rejections: frozenset[str]

    @property
    def counts(self) -> dict[str, int]:
        """How many documents were added, changed, withdrawn, and are the same."""
        return {
            "added": len(self.added),
            "changed": len(self.changed),
            "withdrawn": len(self.withdrawn),
            "same": self.same,
        }


def compare(
    sources: Sequence[Source], files: pa.Table, origins: pa.Table, settings: Ingest, forgotten: Collection[str]
) -> Changes:
    """What a version that holds these files and origins must change to hold the sources.

    A file whose digest is the same is not opened; of another file, rows that stood in it before are not cut again,
    wherever in it they stand now. Ids of segments are those of a full run. A segment that several documents hold is
    given by one of them: it is gone when none of them holds it any more.

    Args:
        sources: the corpus as it is now.
        files: the carried table of `CorpusFile`; empty for a first version.
        origins: the carried table of `Origin`.
        settings: how texts are found and cut; where these differ from the last version's, every file is another.
        forgotten: keys (`forgotten_key`) of segments that must not come back: they are rejected without their text, and
            a document that is all forgotten is passed over.

    Raises:
        BadCorpus: a file changed while it was read, or cannot be read though documents of it stand. Only a file that
            is not there any more withdraws its documents.
    """
    corpus = corpus_now(sources, settings)
    before = dict(zip(files["name"].to_pylist(), files["digest"].to_pylist(), strict=True))
    renewed = {name for name, file in corpus.items() if before.get(name) != file.row.digest}
    opened = [name for name, file in corpus.items() if name in renewed or not file.whole]
    touched = origins.filter(pc.invert(_is_in(origins["file"], corpus.keys() - {*opened})))
    of_documents = _of_documents(touched)
    rows = [row for name in opened for row in read(corpus[name], settings, of_documents)]
    ids = frozenset(touched["id"].to_pylist())
    left = ids - {row.id for row in rows}
    gone = objects_of(touched.filter(_is_in(touched["id"], left)), Origin)
    fresh = [cut_row(row, settings, forgotten) for row in rows if row.id not in ids]
    # Nothing is kept of a document that is forgotten as a whole: what it is called may be what has to be forgotten.
    fresh = [row for row in fresh if not row.forgotten]
    nameless = {row.source.name for row in rows} - {row.row.source.name for row in fresh}
    nameless -= {row.source.name for row in rows if row.id in ids}
    night = _Night(origins)
    night.let_go(gone)
    same = len(night.standing.filter(_holds_segments(night.standing)))
    heirs = _heirs(gone, fresh, night.standing)
    night.take(fresh)
    night.let_go(heirs)
    night.take(_again(heirs, corpus, settings, forgotten))
    added, changed, withdrawn = _paired(gone, night.origins[: len(fresh)])
    return Changes(
        added,
        changed,
        withdrawn,
        same,
        segments=tuple(night.segments),
        rejected=tuple(night.rejected),
        origins=tuple(night.origins),
        files=tuple(corpus[name].row for name in sorted(renewed - nameless)),
        gone_origins=left,
        gone_files=frozenset(stable_id(name) for name in before.keys() - (corpus.keys() - nameless)),
        gone_segments=frozenset(night.lost),
        gone_rejections=frozenset(night.gone_rejections),
    )


def _heirs(gone: Sequence[Origin], fresh: Sequence[Fresh], standing: pa.Table) -> list[Origin]:
    """Documents that stand and hold a segment that a gone one gave and no new one gives: the first such of each."""
    orphans = {segment for origin in gone for segment in origin.segments} - _offered(fresh)
    holders = pc.list_parent_indices(standing["repeats"]).filter(_is_in(pc.list_flatten(standing["repeats"]), orphans))
    first: dict[str, Origin] = {}
    for origin in sorted(objects_of(standing.take(holders.unique()), Origin), key=lambda row: (row.file, row.id)):
        for segment in orphans.intersection(origin.repeats):
            first.setdefault(segment, origin)
    return list({origin.id: origin for origin in first.values()}.values())


def _again(
    heirs: Sequence[Origin], corpus: Mapping[str, FileNow], settings: Ingest, forgotten: Collection[str]
) -> list[Fresh]:
    """The heirs as their files hold them."""
    ids, names = ({getattr(heir, key) for heir in heirs} for key in ("id", "file"))
    rows = (row for name in sorted(names) for row in read(corpus[name], settings, names))
    return [cut_row(row, settings, forgotten) for row in rows if row.id in ids]


@dataclass
class _Night:
    """Segments that pass from documents that go to others, and what new documents add.

    Attributes:
        standing: the documents that do not go.
        lost: segments that were given by one that went, with its labels.
    """

    standing: pa.Table
    lost: dict[str, str] = field(default_factory=dict)
    origins: list[Origin] = field(default_factory=list)
    segments: list[Document] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    gone_rejections: set[str] = field(default_factory=set)
    kept: set[str] = field(default_factory=set)
    taken: set[str] = field(default_factory=set)

    def let_go(self, origins: Sequence[Origin]) -> None:
        """Takes from the documents what they gave, and their rejections."""
        self.standing = self.standing.filter(pc.invert(_is_in(self.standing["id"], {row.id for row in origins})))
        self.lost |= {segment: row.labels for row in origins for segment in row.segments}
        self.gone_rejections |= {name for row in origins for name in row.bad_rows}
        self.kept -= {segment for row in origins for segment in row.segments}

    def take(self, fresh: Sequence[Fresh]) -> None:
        """Admits documents; a segment that was lost with the same labels only changes hands."""
        given = pc.list_flatten(self.standing["segments"])
        self.kept |= {*given.filter(_is_in(given, _offered(fresh))).to_pylist()}
        here = _is_in(self.standing["file"], {row.row.source.name for row in fresh})
        self.taken |= {*pc.list_flatten(self.standing.filter(here)["bad_rows"]).to_pylist()}
        self.origins += [self._admitted(row) for row in fresh]

    def _admitted(self, fresh: Fresh) -> Origin:
        row = fresh.row
        segments: list[str] = []
        repeats: dict[str, str] = {}
        bad_rows: list[str] = []
        for piece in fresh.found:
            admitted = admit(piece, row.source, self.kept, self.taken)
            if isinstance(admitted, Document):
                self._keep(admitted, fresh.labels)
                segments.append(admitted.id)
                continue
            self.taken.add(admitted.id)
            self.rejected.append(admitted)
            if isinstance(piece, Document):
                repeats[admitted.id] = piece.id
            else:
                bad_rows.append(admitted.id)
        return Origin(
            id=row.id,
            file=row.source.name,
            digest=row.digest,
            name=fresh.name,
            labels=fresh.labels,
            segments=tuple(segments),
            repeats=tuple(repeats.values()),
            bad_rows=(*repeats, *bad_rows),
        )

    def _keep(self, segment: Document, labels: str) -> None:
        self.kept.add(segment.id)
        if self.lost.get(segment.id) == labels:
            del self.lost[segment.id]
        else:
            self.segments.append(segment)


def _offered(fresh: Sequence[Fresh]) -> set[str]:
    return {segment for row in fresh for segment in row.segments}


def _paired(
    gone: Sequence[Origin], fresh: Sequence[Origin]
) -> tuple[tuple[Origin, ...], tuple[Origin, ...], tuple[Origin, ...]]:
    """Added, changed and withdrawn documents: changed are those of the same file and name."""
    left, came = ([row for row in rows if row.segments or row.repeats] for rows in (gone, fresh))
    was, now = (Counter((row.file, row.name) for row in rows) for rows in (left, came))
    both = {"changed": was & now, "withdrawn": was & now}
    added: list[Origin] = []
    changed: list[Origin] = []
    for row in came:
        (changed if _used(both["changed"], row) else added).append(row)
    withdrawn = [row for row in left if not _used(both["withdrawn"], row)]
    return tuple(added), tuple(changed), tuple(withdrawn)


def _used(counts: Counter[tuple[str, str]], row: Origin) -> bool:
    """Whether there was one more of this name; it is used up."""
    counts[row.file, row.name] -= 1
    return counts[row.file, row.name] >= 0


def _of_documents(origins: pa.Table) -> frozenset[str]:
    """Names of the files that hold documents."""
    return frozenset(origins.filter(_holds_segments(origins))["file"].unique().to_pylist())


def _holds_segments(origins: pa.Table) -> pa.ChunkedArray:
    """Which of them are documents."""
    return pc.greater(pc.add(*(pc.list_value_length(origins[name]) for name in ("segments", "repeats"))), 0)


def _is_in(values: pa.ChunkedArray, wanted: Collection[str]) -> pa.ChunkedArray:
    return pc.is_in(values, value_set=pa.array(list(wanted), pa.string()))
