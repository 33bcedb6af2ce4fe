"""A folder of `fanno run` that is refreshed: the run is its first version, whatever the corpus is by now."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from fanno_core.dataset.current import current_number
from fanno_core.dataset.made import open_made, open_version
from fanno_core.dataset.manifest import version_numbers
from fanno_core.errors import RunStops
from tests.conftest import Fanno, record_of
from tests.flows.test_refresh import CORPUS, Documents, ids_of, refresh, rows_of

pytestmark = pytest.mark.usefixtures("fanno")


@pytest.fixture
def out(finished: Path, tmp_path: Path) -> Path:
    """A copy of a finished run, with a report."""
    copy = Path(shutil.copytree(finished, tmp_path / "out"))
    (copy / "report").mkdir(exist_ok=True)
    (copy / "report/index.html").write_text("of the run")
    return copy


@pytest.mark.slow
def test_another_corpus_does_not_replace_the_run_without_a_word(fanno: Fanno, out: Path, corpus: Path) -> None:
    before, documents = rows_of(out), Documents.of(corpus)
    other = documents.without([*documents.texts][10:]).write(out.parent / CORPUS)
    told = refresh(other, out)
    assert (told["status"], told["version"], told["took_over"]) == ("held", 2, 1)
    assert "max_shrink" in told["reasons"][0]
    assert (current_number(out), rows_of(out)) == (1, before)
    assert (out / "report/index.html").read_text() == "of the run"
    assert fanno("verify", out).code == 0


@pytest.mark.slow
def test_the_night_after_the_run_does_what_has_changed_and_no_more(out: Path, corpus: Path) -> None:
    before, documents = rows_of(out), Documents.of(corpus)
    used = sorted({row.carried_id for row in before.values() if row.iteration})
    gone = ids_of(open_made(out), used[:5])
    new = {"new": documents.texts[used[6]][::-1].capitalize()}
    other = documents.without(used[:3]).edited(used[3:5]).with_new(new).write(out.parent / CORPUS)
    told = refresh(other, out)
    assert told["documents"] == {"added": 1, "changed": 2, "withdrawn": 3, "same": len(documents.texts) - 5}
    assert version_numbers(out) == [1, 2]
    after = rows_of(out)
    assert not {row.id for row in after.values() if row.document_id in gone or gone & {*row.retrieved}}
    for name, row in before.items():
        if row.document_id not in gone and not gone & {*row.retrieved}:
            assert after[name] == row
    assert refresh(other, out)["status"] == "unchanged"


@pytest.mark.slow
def test_a_run_that_worked_otherwise_is_left_alone_and_a_rebuild_keeps_it(out: Path, corpus: Path) -> None:
    before = rows_of(out)
    with pytest.raises(RunStops, match=r"responses .*otherwise than for the run that lies in .*--rebuild"):
        refresh(corpus, out, "responses.retrieve=2")
    assert not (out / "versions").exists()
    told = refresh(corpus, out, "responses.retrieve=2", rebuild=True)
    assert (told["version"], told["status"], told["took_over"]) == (2, "published", 1)
    assert {row.id: row for row in open_version(out, 1).examples()} == before


def test_a_run_that_is_not_whole_is_refused_in_one_sentence(out: Path, corpus: Path) -> None:
    shard = sorted((out / "work/shards/verdicts").glob("*.parquet"))[0]
    shard.write_bytes(shard.read_bytes()[:-9])
    with pytest.raises(RunStops, match=r"dataset holds the rows of a run that cannot be taken over .*--rebuild"):
        refresh(corpus, out)
    assert record_of(out)["dataset"]["rows"]
    assert not (out / "current").exists()
