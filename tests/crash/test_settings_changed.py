"""A setting that is changed before a run goes on: what its prompts have in common with the old ones is not asked."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.conftest import Fanno, run_here, sets
from tests.crash.conftest import Reference
from tests.crash.scripted import journalled, numbers, scripted, told

pytestmark = pytest.mark.crash


@pytest.mark.parametrize(
    ("assignment", "first_redone"),
    [
        ("filters.novelty=0.7", "novelty"),
        ("communities.resolution=0.1", "communities"),
        ("responses.max_copy=0.5", "responses"),
    ],
)
def test_only_new_prompts_are_asked(
    documents: Path, reference: Reference, tmp_path: Path, assignment: str, first_redone: str
) -> None:
    out = shutil.copytree(reference.out, tmp_path / "out")
    before = journalled(out)
    with scripted() as server:
        record = run_here([documents], out, *told(server, assignment))
        assert not numbers(server.seen) & before
        assert not server.seen or first_redone != "responses", "the same answers, held against another threshold"
    redone = [phase["name"] for phase in record["phases"] if phase["tasks"] > phase["tasks_cached"]]
    assert redone[0] == first_redone


def test_a_second_folder_with_the_same_journal_asks_nothing(
    documents: Path, reference: Reference, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(reference.out / "work/journal.sqlite", tmp_path / "answers.sqlite")
    monkeypatch.chdir(tmp_path)
    with scripted() as server:
        record = run_here([documents], tmp_path / "out", *told(server, "run.journal=answers.sqlite"))
        assert server.seen == []
    assert record["dataset"] == reference.dataset
    assert not (tmp_path / "out/work/journal.sqlite").exists()


def test_a_folder_on_s3_shares_no_file(fanno: Fanno, documents: Path, bucket: str) -> None:
    ended = fanno("run", "--corpus", documents, "--out", f"{bucket}/out", *sets("run.journal=/answers.sqlite"))
    assert ended.code == 1
    assert "error: setting run.journal: only runs on the disk share a file" in ended.err
