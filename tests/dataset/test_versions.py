from __future__ import annotations

import itertools
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import datasets
import pyarrow.parquet as pq
import pytest

from fanno_core.dataset import versions as writing
from fanno_core.dataset.current import current, publish, rollback
from fanno_core.dataset.formats import alpaca_bytes, digest_of, messages_bytes
from fanno_core.dataset.made import open_made, open_version
from fanno_core.dataset.manifest import folder_of, local, read_state, read_version, versions, wrong_files
from fanno_core.dataset.publish import publish_dataset
from fanno_core.dataset.sweep import Swept, sweep
from fanno_core.errors import RunStops, ShardDamaged
from fanno_core.refresh.state import State
from fanno_core.settings import Publish
from fanno_core.store.contracts import Example
from fanno_core.store.ledger import Entry, Store
from fanno_core.store.location import open_location
from tests.dataset.nights import PROVENANCE, night, rows

MANY = range(250)


@pytest.fixture(autouse=True)
def small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of so few rows that a small data set has several."""
    monkeypatch.setattr("fanno_core.dataset.row_files.ROWS", 64)
    monkeypatch.setattr("fanno_core.store.carried.ROWS", 64)


def inodes(out: Path, number: int) -> dict[str, int]:
    return {path.name: path.stat().st_ino for path in (folder_of(out, number) / "dataset").glob("*.parquet")}


def test_a_version_holds_what_its_manifest_says_and_a_plain_run_has_the_same_digest(tmp_path: Path) -> None:
    version = night(tmp_path, rows(range(300)))
    folder = folder_of(tmp_path, 1)
    assert (version.number, version.parent, version.status, version.rows) == (1, 0, "published", 300)
    assert versions(tmp_path) == [version]
    assert wrong_files(tmp_path, version) == []
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert there == {*version.files, "manifest.json"}
    assert not (folder / "report").exists()
    ordered = sorted(rows(range(300)), key=lambda row: row.id)
    assert version.digest == digest_of(ordered, "")
    assert (folder / "dataset/alpaca.json").read_bytes() == alpaca_bytes(ordered)
    assert (folder / "dataset/messages.jsonl").read_bytes() == messages_bytes(ordered, "")
    publish_dataset(ordered, tmp_path / "plain", Publish(), PROVENANCE)
    plain = json.loads((tmp_path / "plain/dataset/manifest.json").read_text())
    assert (version.rows, version.digest) == (plain["rows"], plain["digest"])
    assert (folder / "dataset/README.md").read_bytes() == (tmp_path / "plain/dataset/README.md").read_bytes()


def test_the_data_set_is_loaded_as_that_of_a_plain_run_is(tmp_path: Path) -> None:
    night(tmp_path, rows(MANY))
    publish(tmp_path, 1)
    cache = str(tmp_path / "cache")
    loaded = datasets.load_dataset(str(tmp_path / "dataset"), split="train", cache_dir=cache)
    ordered = sorted(rows(MANY), key=lambda row: row.id)
    assert loaded["id"] == [row.id for row in ordered]
    publish_dataset(ordered, tmp_path / "plain", Publish(), PROVENANCE)
    plain = datasets.load_dataset(str(tmp_path / "plain/dataset"), split="train", cache_dir=cache)
    assert loaded.features == plain.features
    assert loaded[:] == plain[:]


def test_files_whose_rows_did_not_change_are_shared_with_the_version_before(tmp_path: Path) -> None:
    night(tmp_path, rows(MANY))
    night(tmp_path, rows([7], "Another answer."), parent=1)
    first, second = inodes(tmp_path, 1), inodes(tmp_path, 2)
    assert len(first) == len(second) == 4
    assert len({*first.values()} & {*second.values()}) == 3
    # Neither file of the changed rows stands under a name of the other version.
    assert len({*first} & {*second}) == 3
    changed = folder_of(tmp_path, 2) / "dataset" / next(iter({*second} - {*first}))
    assert "Another answer." in pq.read_table(changed).column("output").to_pylist()


def test_a_disk_without_links_gets_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", refuse)
    version = night(tmp_path, rows(range(9)))
    assert wrong_files(tmp_path, version) == []
    assert {path.stat().st_nlink for path in (folder_of(tmp_path, 1) / "dataset").glob("*.parquet")} == {1}


def test_what_the_last_run_left_gives_way_to_the_version(tmp_path: Path, finished: Path) -> None:
    out = shutil.copytree(finished, tmp_path / "out")
    (out / "dataset/notes.txt").write_text("not ours")
    night(out, rows(range(5)))
    assert open_made(out).record["dataset"]["rows"] > 5
    publish(out, 1)
    assert open_made(out).examples() == sorted(rows(range(5)), key=lambda row: row.id)
    assert not os.path.lexists(out / "report")  # it would tell of other rows
    for name in ("dataset", "run.json", "rejected"):
        assert str((out / name).readlink()) == f"current/{name}"
    assert {path.name for path in out.iterdir() if path.name.startswith((".", "dataset"))} == {"dataset", "dataset-own"}
    assert (out / "dataset-own/notes.txt").read_text() == "not ours"


def test_publishing_and_going_back_move_all_names_at_once(tmp_path: Path) -> None:
    night(tmp_path, rows(range(5)))
    assert current(tmp_path) is None
    publish(tmp_path, 1)
    night(tmp_path, rows(range(5, 9)), parent=1)
    assert open_made(tmp_path).record["dataset"]["rows"] == 5
    publish(tmp_path, 2)
    assert current(tmp_path) == read_version(tmp_path, 2)
    made = open_made(tmp_path)
    assert len(made.examples()) == made.record["dataset"]["rows"] == 9
    assert [entry.key for entry in made.entries["publish"]] == ["version-000002"]
    assert len(made.rejections()) == 4
    rollback(tmp_path, 1)
    assert open_made(tmp_path).record["dataset"]["rows"] == 5
    assert len(open_version(tmp_path, 2).examples()) == 9


def test_a_report_stays_with_the_version_that_it_tells_of(tmp_path: Path) -> None:
    night(tmp_path, rows(range(5)))
    publish(tmp_path, 1)
    assert not os.path.lexists(tmp_path / "report")
    (tmp_path / "report").mkdir()  # as `fanno report` does
    (tmp_path / "report/index.html").write_text("of the first")
    night(tmp_path, rows(range(5, 9)), parent=1)
    publish(tmp_path, 2)
    assert not os.path.lexists(tmp_path / "report")
    rollback(tmp_path, 1)
    assert str((tmp_path / "report").readlink()) == "current/report"
    assert (tmp_path / "report/index.html").read_text() == "of the first"
    publish(tmp_path, 2)
    assert not os.path.lexists(tmp_path / "report")


def test_a_held_version_is_published_when_somebody_says_so(tmp_path: Path) -> None:
    version = night(tmp_path, rows(range(5)), reasons=("it is too small",))
    assert (version.status, version.reasons) == ("held", ("it is too small",))
    rollback(tmp_path, 1)
    now = current(tmp_path)
    assert now == replace(version, status="published")
    assert wrong_files(tmp_path, version) == []


@pytest.mark.parametrize("damage", ["changed", "missing", "more", "manifest"])
def test_a_version_that_is_not_whole_is_not_published(tmp_path: Path, damage: str) -> None:
    night(tmp_path, rows(range(5)))
    publish(tmp_path, 1)
    night(tmp_path, rows(range(9)), parent=1)
    folder = folder_of(tmp_path, 2)
    file = next((folder / "dataset").glob("train-*"))
    damages: dict[str, Callable[[], object]] = {
        "changed": lambda: file.write_bytes(b"x" + file.read_bytes()),
        "missing": file.unlink,
        "more": lambda: shutil.copy(file, file.with_name("train-x.parquet")),
        "manifest": lambda: (folder / "manifest.json").write_text(
            (folder / "manifest.json").read_text().replace('"rows": 9', '"rows": 8')
        ),
    }
    damages[damage]()
    with pytest.raises(ShardDamaged, match=r"versions/000002/.*`fanno verify"):
        publish(tmp_path, 2)
    assert str((tmp_path / "current").readlink()) == "versions/000001"


def test_an_unknown_version_and_an_object_store_are_refused(tmp_path: Path) -> None:
    night(tmp_path, rows(range(5)))
    with pytest.raises(RunStops, match="has no version 7, but these: 1"):
        publish(tmp_path, 7)
    with pytest.raises(RunStops, match="local disk only"):
        local(open_location("s3://bucket/out"))
    assert local(tmp_path) == tmp_path


def test_a_writer_that_was_killed_after_its_version_was_whole_finds_it(tmp_path: Path) -> None:
    first = night(tmp_path, rows(range(5)))
    assert night(tmp_path, rows(range(5))) == first
    assert night(tmp_path, rows(range(6))).number == 2
    assert [version.number for version in versions(tmp_path)] == [1, 2]


class Killed(BaseException):
    """The process ends here."""


def test_a_writer_killed_at_any_of_its_writes_leaves_the_versions_as_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    night(tmp_path, rows(range(70)))
    whole = die_at_each(monkeypatch, lambda: night(tmp_path, rows(range(60, 80)), parent=1), tmp_path, [1])
    assert whole > 5
    assert [version.number for version in versions(tmp_path)] == [1, 2]
    assert not list((tmp_path / "versions").glob(".*"))
    assert wrong_files(tmp_path, read_version(tmp_path, 2)) == []


STEPS = ((writing, "write_all_durably"), (writing, "link_files"), (Store, "record"), (Path, "rename"))


def die_at_each(monkeypatch: pytest.MonkeyPatch, work: Callable[[], object], out: Path, there: list[int]) -> int:
    """Does the work with a kill before each of its steps on the disk, and then to its end; how many kills that took."""
    for kills in itertools.count():
        with monkeypatch.context() as patch:
            left = iter(range(kills))
            for owner, name in STEPS:
                patch.setattr(owner, name, dying(getattr(owner, name), left))
            try:
                work()
            except Killed:
                assert [version.number for version in versions(out)] == there
                continue
            return kills
    raise AssertionError


def dying(step: Callable[..., object], left: Iterator[int]) -> Callable[..., object]:
    """The step, which kills the process when no more steps are left to it."""

    def take(*arguments: object) -> object:
        if next(left, None) is None:
            raise Killed
        return step(*arguments)

    return take


def test_sweeping_keeps_the_newest_and_the_current_version_and_only_what_they_name(tmp_path: Path) -> None:
    store = Store(tmp_path)
    night(tmp_path, rows(MANY))
    publish(tmp_path, 1)
    for number in range(1, 5):
        night(tmp_path, rows([number], f"Answer of night {number}."), parent=number)
    store.record(Entry("seeds", "of-no-version", 0, 0, (), ()))
    swept = sweep(tmp_path, 2)
    assert swept.versions == (2, 3)
    assert swept.entries == 5  # two of responses, two of publish, and one that no version names
    assert [version.number for version in versions(tmp_path)] == [1, 4, 5]
    named = set()
    for version in versions(tmp_path):
        assert wrong_files(tmp_path, version) == []
        store.read(read_state(tmp_path, version.number)["examples"], Example)
        named |= {ref.path for ref in read_state(tmp_path, version.number).files}
        assert open_version(tmp_path, version.number).examples()
    carried = (tmp_path / "work/shards").glob("*/*")
    assert {path.relative_to(tmp_path).as_posix() for path in carried if path.parent.name != "publish"} == named
    assert len(list((tmp_path / "work/shards/publish").iterdir())) == len(
        {inode for version in versions(tmp_path) for inode in inodes(tmp_path, version.number).values()}
    )
    assert sweep(tmp_path, 2) == Swept((), 0, 0, 0)


def test_nothing_is_swept_from_a_plain_run_or_where_a_version_cannot_be_read(tmp_path: Path, finished: Path) -> None:
    out = shutil.copytree(finished, tmp_path / "plain")
    files = set(out.rglob("*"))
    assert sweep(out, 1) == Swept((), 0, 0, 0)
    assert set(out.rglob("*")) == files
    for number in range(3):
        night(tmp_path, rows([number]), parent=number)
    (folder_of(tmp_path, 3) / "state.json").write_text("{")
    with pytest.raises(ShardDamaged, match=r"state\.json"):
        sweep(tmp_path, 1)
    assert [version.number for version in versions(tmp_path)] == [1, 2, 3]


def test_a_state_with_an_unknown_table_is_refused(tmp_path: Path) -> None:
    night(tmp_path, rows([1]))
    state = read_state(tmp_path, 1)
    assert State.from_json(json.loads(json.dumps(state.to_json()))) == state
    with pytest.raises(ShardDamaged, match="no table 'pickles'"):
        State.from_json({**state.to_json(), "pickles": []})
    with pytest.raises(ShardDamaged, match=r"no table 'pickles\.sour'"):
        state.with_tables({"pickles.sour": ()})
    elsewhere = {"path": "../../etc/passwd", "rows": 1, "sha256": ""}
    broken: list[Any] = [[], {"bandit": [elsewhere]}, {"bandit": [1]}]
    for values in broken:
        with pytest.raises(ShardDamaged, match="cannot be read as tables"):
            State.from_json(values)
