from __future__ import annotations

import hashlib
import os
from itertools import permutations
from pathlib import Path

import pytest

from fanno_core.documents.ingest import ingest
from fanno_core.documents.sources import find_sources
from fanno_core.errors import BadCorpus
from fanno_core.settings import Ingest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "corpus"
    (root / "sub" / "deep").mkdir(parents=True)
    (root / ".hidden").mkdir()
    for name in ["b.txt", "a.md", "sub/c.jsonl.gz", "sub/deep/d.docx", ".secret.txt", ".hidden/e.txt"]:
        (root / name).write_text(name)
    return root


def names(*corpus: str | Path) -> list[str]:
    return [source.name for source in find_sources([str(entry) for entry in corpus])]


def test_a_folder_gives_its_visible_files(folder: Path):
    sources = find_sources([str(folder)])
    assert [(s.name, s.format, s.compression) for s in sources] == [
        ("a.md", "md", ""),
        ("b.txt", "txt", ""),
        ("sub/c.jsonl.gz", "jsonl", "gz"),
        ("sub/deep/d.docx", "unknown", ""),
    ]
    assert sources[0].digest == hashlib.sha256(b"a.md").hexdigest()
    assert Path(sources[0].path).is_absolute()


def test_the_order_of_entries_changes_nothing_and_no_file_comes_twice(folder: Path):
    (folder / "link.txt").symlink_to(folder / "b.txt")
    entries = [str(folder), str(folder / "sub"), str(folder / "b.txt"), f"{folder}/*.md"]
    results = {tuple(find_sources(order)) for order in permutations(entries)}
    assert len(results) == 1
    assert [source.name for source in results.pop()] == ["a.md", "b.txt", "c.jsonl.gz", "deep/d.docx"]


def test_globs(folder: Path):
    assert names(f"{folder}/**/*.gz") == ["sub/c.jsonl.gz"]
    assert names(f"{folder}/*") == names(folder)
    assert names(f"{folder}/s?b") == ["sub/c.jsonl.gz", "sub/deep/d.docx"]
    (folder / "odd[1].txt").write_text("an existing path is no glob")
    assert names(folder / "odd[1].txt") == ["odd[1].txt"]


def test_two_files_may_have_one_name(folder: Path, tmp_path: Path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "b.txt").write_text("another")
    (other / "bad.jsonl").write_text("{")
    (folder / "bad.jsonl").write_text("{")
    sources = find_sources([str(folder), str(other)])
    assert [source.name for source in sources].count("b.txt") == 2
    outcome = ingest(sources, Ingest())
    ids = [row.id for row in [*outcome.kept, *outcome.rejected]]
    assert len(ids) == len(set(ids))
    assert outcome.reasons["bad_json"] == 2


@pytest.mark.parametrize(
    ("entry", "advice"),
    [
        ("missing", "no such"),
        ("", "no such"),
        ("empty", "holds no files"),
        ("*.none", "nothing matches"),
        ("a**b", "no"),
    ],
)
def test_what_cannot_be_a_corpus_is_named(tmp_path: Path, entry: str, advice: str):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / ".hidden").touch()
    with pytest.raises(BadCorpus, match=advice) as error:
        find_sources([str(tmp_path / entry) if entry else ""])
    assert entry in str(error.value)
    with pytest.raises(BadCorpus, match="installed-docs"):
        find_sources([])


def test_links_that_go_in_circles_end(folder: Path):
    (folder / "sub" / "up").symlink_to(folder)
    (folder / "sub" / "self").symlink_to(folder / "sub" / "self")
    (folder / "sub" / "gone.txt").symlink_to(folder / "nowhere")
    assert names(folder) == ["a.md", "b.txt", "sub/c.jsonl.gz", "sub/deep/d.docx", "sub/gone.txt", "sub/self"]
    assert "sub/c.jsonl.gz" in names(f"{folder}/**")
    assert ingest(find_sources([str(folder / "sub" / "gone.txt")]), Ingest()).reasons == {"unreadable": 1}


def test_pipes_are_rejected_and_never_opened(folder: Path):
    os.mkfifo(folder / "pipe.txt")
    for corpus in (folder, folder / "pipe.txt"):
        outcome = ingest([s for s in find_sources([str(corpus)]) if s.name == "pipe.txt"], Ingest())
        assert outcome.reasons == {"not_a_file": 1}


def test_hostile_names_become_printable(folder: Path):
    for name in [b"new\nline.txt", b"..\xff\xe9.txt", b"sub/\xe2\x80\xae.txt", b"x.txt;rm -rf", b"a\\b.txt"]:
        (folder / os.fsdecode(name)).write_text("A text.")
    found = names(folder)
    assert {"new\\nline.txt", "sub/\\u202e.txt", "x.txt;rm -rf", "a\\b.txt"} <= set(found)
    assert all(name.isprintable() and name.encode() for name in found)
    assert names(folder / os.fsdecode(b"..\xff\xe9.txt")) == ["..\\udcff\\udce9.txt"]
    assert ingest(find_sources([str(folder)]), Ingest()).reasons["unknown_format"] == 2


def test_names_never_climb(folder: Path):
    assert names(folder / "sub" / "..") == names(folder)
    assert names(f"{folder}/sub/../*.txt") == ["b.txt"]
