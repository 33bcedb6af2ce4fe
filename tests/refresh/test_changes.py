from __future__ import annotations

import json
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fanno_core.documents.ingest import cut as cut_for_real
from fanno_core.documents.ingest import ingest
from fanno_core.documents.sources import find_sources
from fanno_core.errors import BadCorpus
from fanno_core.refresh import reading
from fanno_core.refresh.changes import Changes, compare, forgotten_key
from fanno_core.refresh.contracts import CorpusFile, Origin
from fanno_core.settings import Ingest
from fanno_core.store.contracts import Document, Rejection
from fanno_core.store.tables import to_table

CUT = Ingest(segment_chars=200, segment_min_chars=0)


@dataclass
class Nights:
    """A corpus folder, and what its versions carry, as objects."""

    folder: Path
    settings: Ingest = CUT
    files: dict[str, CorpusFile] = field(default_factory=dict)
    origins: dict[str, Origin] = field(default_factory=dict)
    segments: dict[str, Document] = field(default_factory=dict)
    rejections: dict[str, Rejection] = field(default_factory=dict)

    def write(self, name: str, *rows: dict[str, Any] | str) -> None:
        """A file of rows, or of a text."""
        lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
        (self.folder / name).write_text("\n".join(lines))

    def night(self, forgotten: Collection[str] = ()) -> Changes:
        """Compares, and applies the changes: first what is gone, then what is new."""
        files = to_table(list(self.files.values()), CorpusFile)
        origins = to_table(list(self.origins.values()), Origin)
        changes = compare(find_sources([str(self.folder)]), files, origins, self.settings, forgotten)
        _apply(self.files, changes.gone_files, changes.files)
        _apply(self.origins, changes.gone_origins, changes.origins)
        _apply(self.segments, changes.gone_segments, changes.segments)
        _apply(self.rejections, changes.gone_rejections, changes.rejected)
        return changes


def _apply(table: dict[str, Any], gone: Collection[str], new: Sequence[Any]) -> None:
    assert gone <= table.keys()
    for key in gone:
        del table[key]
    for row in new:
        assert row.id not in table or isinstance(row, (Origin, CorpusFile))
        table[row.id] = row


@pytest.fixture
def nights(tmp_path: Path) -> Nights:
    return Nights(tmp_path)


def paragraphs(*names: str) -> str:
    """A document of one segment a name."""
    return "\n\n".join(name * 150 for name in names)


def test_the_first_night_is_a_full_run(nights: Nights):
    nights.write("a.jsonl", {"text": "One."}, {"text": "One."}, {"text": " "}, "no JSON", {"id": 7, "text": "Two."})
    nights.write("b.txt", paragraphs("x", "y"))

    changes = nights.night()

    full = ingest(find_sources([str(nights.folder)]), CUT)
    assert list(changes.segments) == full.kept
    assert list(changes.rejected) == full.rejected
    assert changes.counts == {"added": 4, "changed": 0, "withdrawn": 0, "same": 0}
    assert [origin.name for origin in changes.added] == ["row 1", "row 2", "7", ""]


def test_nothing_changed_opens_no_file(nights: Nights, monkeypatch: pytest.MonkeyPatch):
    nights.write("a.jsonl", {"text": "One."}, {"text": ""})
    nights.night()
    monkeypatch.setattr(reading, "rows_of", None)

    changes = nights.night()

    assert changes.counts == {"added": 0, "changed": 0, "withdrawn": 0, "same": 1}
    assert not changes.origins
    assert not changes.files


def test_rows_that_only_moved_are_not_cut_again(nights: Nights, monkeypatch: pytest.MonkeyPatch):
    one, two, new = {"text": "One."}, {"text": "Two."}, {"text": "New."}
    nights.write("a.jsonl", one, two)
    nights.night()
    nights.write("a.jsonl", new, two, one)
    cut = []
    monkeypatch.setattr(reading, "cut", lambda row, *rest: cut.append(row.text) or cut_for_real(row, *rest))

    changes = nights.night()

    assert cut == ["New."]
    assert changes.counts == {"added": 1, "changed": 0, "withdrawn": 0, "same": 2}


def test_a_document_is_changed_where_its_id_or_its_place_stays(nights: Nights):
    nights.write("a.jsonl", {"id": "i", "text": "One."}, {"text": "Two."}, {"id": "j", "text": "Three."})
    nights.night()
    nights.write("a.jsonl", {"id": "k", "text": "New."}, {"text": "Two!"}, {"id": "i", "text": "One!"})

    changes = nights.night()

    assert [origin.name for origin in changes.changed] == ["row 2", "i"]
    assert [origin.name for origin in changes.added] == ["k"]
    assert [origin.name for origin in changes.withdrawn] == ["j"]
    assert len(changes.gone_segments) == len(changes.segments) == 3


def test_an_edited_document_keeps_the_segments_that_stayed(nights: Nights):
    nights.write("a.txt", paragraphs("x", "y", "z"))
    before = nights.night().segments
    nights.write("a.txt", paragraphs("x", "w", "z"))

    changes = nights.night()

    assert [segment.text[0] for segment in changes.segments] == ["w"]
    assert changes.gone_segments == {before[1].id}


def test_another_licence_brings_the_segments_again(nights: Nights):
    nights.write("a.jsonl", {"id": "i", "text": "One.", "licence": "MIT"})
    nights.night()
    nights.write("a.jsonl", {"id": "i", "text": "One.", "licence": "secret"})

    changes = nights.night()

    (segment,) = changes.segments
    assert segment.licence == "secret"
    assert changes.gone_segments == {segment.id}
    assert changes.counts["changed"] == 1


def test_rows_that_move_to_another_file_keep_segments_of_a_source_of_their_own(nights: Nights):
    row = {"id": "i", "text": "One.", "source": "web"}
    nights.write("monday.jsonl", row)
    nights.night()
    (nights.folder / "monday.jsonl").rename(nights.folder / "tuesday.jsonl")

    changes = nights.night()

    assert not changes.segments
    assert not changes.gone_segments
    assert changes.counts == {"added": 1, "changed": 0, "withdrawn": 1, "same": 0}


def test_a_segment_passes_to_another_document_that_holds_it(nights: Nights):
    nights.write("a.jsonl", {"id": "i", "text": "Same.", "source": "web"})
    nights.write("b.jsonl", {"id": "j", "text": "Same.", "source": "web"})
    (repeat,) = nights.night().rejected
    (nights.folder / "a.jsonl").unlink()

    changes = nights.night()

    (segment,) = changes.segments
    assert segment.carried_id == "j"
    assert changes.gone_segments == {segment.id}
    assert changes.gone_rejections == {repeat.id}
    assert changes.counts == {"added": 0, "changed": 0, "withdrawn": 1, "same": 1}


def test_a_document_that_inherits_a_segment_keeps_its_own(nights: Nights):
    nights.write("a.jsonl", {"text": paragraphs("x"), "source": "web"})
    nights.write("b.jsonl", {"text": paragraphs("x", "y"), "source": "web"})
    nights.night()
    nights.write("a.jsonl", {"text": paragraphs("y"), "source": "web"})

    changes = nights.night()

    assert changes.segments == ()
    assert changes.gone_segments == set()
    assert {row.text[0] for row in nights.segments.values()} == {"x", "y"}
    by_file = {origin.file: origin for origin in nights.origins.values()}
    assert (len(by_file["a.jsonl"].segments), len(by_file["b.jsonl"].segments)) == (0, 2)


def test_a_file_that_cannot_be_read_withdraws_nothing(nights: Nights):
    nights.write("a.csv", "text\nOne.")
    nights.night()
    (nights.folder / "a.csv").write_bytes(b"text\nOne.\ncaf\xe9")

    with pytest.raises(BadCorpus, match=r"a\.csv: it cannot be read \(not_utf8\)"):
        nights.night()

    (nights.folder / "a.csv").unlink()
    nights.write("b.csv", "text\nTwo.")
    assert nights.night().counts == {"added": 1, "changed": 0, "withdrawn": 1, "same": 0}


def test_a_file_that_never_could_be_read_is_rejected_once(nights: Nights):
    (nights.folder / "a.csv").write_bytes(b"text\ncaf\xe9")
    assert [row.reason for row in nights.night().rejected] == ["not_utf8"]
    (nights.folder / "a.csv").write_bytes(b"text\ncaf\xe9\xe9")
    assert not nights.night().rejected
    nights.write("a.csv", "text\ncafé")

    changes = nights.night()

    assert not nights.rejections
    assert changes.counts == {"added": 1, "changed": 0, "withdrawn": 0, "same": 0}


def test_a_forgotten_text_does_not_come_back(nights: Nights):
    nights.write("a.jsonl", {"text": "My  secret."}, {"text": "Two."}, {"text": "my SECRET.", "source": "elsewhere"})

    changes = nights.night(forgotten={forgotten_key("My secret.")})

    assert [segment.text for segment in changes.segments] == ["Two."]
    assert not changes.rejected
    assert [row.name for row in changes.origins] == ["row 2"]
    assert changes.counts["added"] == 1


def test_a_part_of_a_document_that_was_forgotten_is_told_without_its_text(nights: Nights):
    nights.write("a.txt", paragraphs("x", "y"))
    (first, *others) = nights.night().segments
    nights.write("a.txt", paragraphs("x", "y", "z"))

    changes = nights.night(forgotten={forgotten_key(first.text)})

    assert others
    assert [(row.reason, row.text, row.detail) for row in changes.rejected] == [("forgotten", "", "segment 0")]


def test_nothing_is_kept_of_a_file_that_is_forgotten(nights: Nights):
    nights.write("a.txt", "My secret.")
    nights.write("b.txt", "Two.")
    forgotten = {forgotten_key("My secret.")}

    changes = nights.night(forgotten=forgotten)

    assert ([row.name for row in changes.files], [row.file for row in changes.origins]) == (["b.txt"], ["b.txt"])
    assert (nights.night(forgotten=forgotten).files, changes.rejected) == ((), ())


def test_other_settings_open_every_file(nights: Nights):
    nights.write("a.txt", paragraphs("x", "y"))
    nights.night()
    nights.settings = Ingest()

    nights.night()

    assert nights.segments.keys() == {d.id for d in ingest(find_sources([str(nights.folder)]), Ingest()).kept}


ROWS = st.lists(
    st.fixed_dictionaries(
        {"text": st.lists(st.sampled_from("xyz"), max_size=3).map(lambda names: paragraphs(*names)) | st.none()},
        optional={
            "id": st.sampled_from("ij"),
            "source": st.sampled_from(["s", "t"]),
            "licence": st.sampled_from(["MIT", "secret"]),
        },
    ),
    max_size=5,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.dictionaries(st.sampled_from(["a.jsonl", "b.jsonl"]), ROWS, min_size=1), min_size=2, max_size=4))
def test_after_every_night_there_stands_what_a_full_run_keeps(tmp_path_factory: pytest.TempPathFactory, corpora: list):
    nights = Nights(tmp_path_factory.mktemp("corpus"))
    for corpus in corpora:
        for path in nights.folder.iterdir():
            path.unlink()
        for name, rows in corpus.items():
            nights.write(name, *rows)
        nights.night()

        full = ingest(find_sources([str(nights.folder)]), CUT)
        assert nights.segments.keys() == {document.id for document in full.kept}
        assert sorted(r.reason for r in nights.rejections.values()) == sorted(r.reason for r in full.rejected)
        given_by = [segment for origin in nights.origins.values() for segment in origin.segments]
        assert sorted(given_by) == sorted(nights.segments)
        rejected = [row for origin in nights.origins.values() for row in origin.bad_rows]
        assert sorted(rejected) == sorted(nights.rejections)
        assert _labels(nights.segments.values()) <= _labels(_every_segment(nights.folder))


def _labels(documents: Collection[Document]) -> set[tuple[str, str, str]]:
    return {(row.id, row.carried_id, row.licence) for row in documents}


def _every_segment(folder: Path) -> list[Document]:
    """Each row of each file read alone, so that none repeats another."""
    found = []
    for source in find_sources([str(folder)]):
        for raw in reading.rows_of(source, CUT):
            found += [piece for piece in cut_for_real(raw, source, CUT) if isinstance(piece, Document)]
    return found


@pytest.mark.slow
def test_of_32_000_rows_only_100_are_cut_again(nights: Nights, capsys: pytest.CaptureFixture[str]):
    rows = [{"id": f"r{n}", "text": f"Document {n}. " + "Some words of it. " * 40} for n in range(32_000)]
    nights.settings = Ingest()
    nights.write("a.jsonl", *rows)
    tables = to_table([], CorpusFile), to_table([], Origin)
    first = compare(find_sources([str(nights.folder)]), *tables, nights.settings, ())
    for row in rows[::320]:
        row["text"] += "Changed."
    nights.write("a.jsonl", *rows)
    tables = to_table(first.files, CorpusFile), to_table(first.origins, Origin)
    sources = find_sources([str(nights.folder)])
    start = time.process_time()

    changes = compare(sources, *tables, nights.settings, ())

    took_s = time.process_time() - start
    with capsys.disabled():
        print(f"\n32,000 rows of which 100 changed: {took_s:.2f} s of processor time")
    assert changes.counts == {"added": 0, "changed": 100, "withdrawn": 0, "same": 31_900}
    assert took_s < 6
