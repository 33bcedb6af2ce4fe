from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fanno_core.errors import RunStops, ShardDamaged, TryAgain
from fanno_core.outcome import Outcome
from fanno_core.store.contracts import Vector
from fanno_core.store.durable import names_in, read_whole, write_durably
from fanno_core.store.ledger import Store
from fanno_core.store.location import Location, open_location
from fanno_core.store.objects import create_object, names_after, remove_object, replace_object, stamp_of
from tests.s3 import make_bucket, serving
from tests.store.test_ledger import committed


@pytest.fixture
def remote(bucket: str) -> Location:
    return open_location(f"{bucket}/out")


def test_a_folder_that_was_copied_to_s3_is_the_same_folder(tmp_path: Path, remote: Location) -> None:
    store, entry = committed(tmp_path)
    for file in (path for path in tmp_path.rglob("*") if path.is_file()):
        write_durably(remote / file.relative_to(tmp_path).as_posix(), file.read_bytes())
    assert Store(remote).find("rules", "k1") == entry == store.find("rules", "k1")


def test_the_same_work_has_the_same_bytes_and_references_on_both(tmp_path: Path, remote: Location) -> None:
    _, here = committed(tmp_path)
    _, there = committed(remote)
    assert here == there
    names = [ref.path for ref in here.files] + ["work/ledger/rules/k1.json"]
    assert [read_whole(tmp_path / name) for name in names] == [read_whole(remote / name) for name in names]


def test_shards_come_back_in_the_order_they_were_asked_for(remote: Location) -> None:
    shards = {f"{n:03d}": [Vector(f"{n:03d}", np.full(2, n, np.float32))] for n in range(40)}
    rows = [row for shard in shards.values() for row in shard]
    entry = Store(remote).commit("embed", "k", 40, Outcome(rows, [], 40), shards, Vector, {})
    assert [ref.label for ref in entry.kept] == list(shards)
    assert [row.id for row in Store(remote).read(entry.kept[::-1], Vector)] == list(shards)[::-1]


def test_what_another_machine_wrote_is_seen_though_the_folder_was_listed_before(remote: Location) -> None:
    import s3fs

    other = s3fs.S3FileSystem(skip_instance_cache=True)
    write_durably(remote / "a", b"1")
    assert names_in(remote) == ["a"]
    other.pipe_file(f"{remote.path}/b", b"2")
    other.pipe_file(f"{remote.path}/a", b"changed")
    assert names_in(remote) == ["a", "b"]
    assert (remote / "b").exists()
    assert sorted(path.name for path in remote.iterdir()) == ["a", "b"]
    assert read_whole(remote / "a") == b"changed"


def test_a_write_goes_through_only_on_its_condition(remote: Location) -> None:
    path = remote / "object"
    assert stamp_of(path) is None
    assert replace_object(path, b"x", "me", '"0"') is None
    first = create_object(path, b"1", "me")
    assert create_object(path, b"2", "you") is None
    found = stamp_of(path)
    assert found
    assert (found.etag, found.owner) == (first, "me")
    assert 0 <= found.age_s < 5
    second = replace_object(path, b"3", "you", found.etag)
    assert second
    assert replace_object(path, b"4", "me", found.etag) is None
    remove_object(path, found.etag)
    assert read_whole(path) == b"3"
    remove_object(path, second)
    remove_object(path)
    assert stamp_of(path) is None


def test_names_are_listed_over_several_pages(remote: Location, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "3")
    names = [f"{n:02d}" for n in range(10)]
    for name in names:
        write_durably(remote / name, b"")
        write_durably(remote / f"{name}-folder" / "deep", b"")
    assert names_after(remote) == names
    assert names_after(remote, "04") == names[5:]
    assert names_after(remote, "99") == []


def test_a_missing_bucket_is_a_damaged_shard_to_a_reader_and_stops_a_writer(remote: Location) -> None:
    store, entry = committed(remote)
    elsewhere = Store(open_location("s3://absent-bucket/out"))
    assert elsewhere.find("rules", "k1") is None
    with pytest.raises(ShardDamaged):
        elsewhere.bytes_of(entry.kept[0])
    with pytest.raises(RunStops, match="there is no bucket absent-bucket"):
        elsewhere.record(entry)
    assert store.find("rules", "k1")


def test_a_store_that_fails_is_no_missing_work() -> None:
    broken: list[str] = []

    def fail_while_broken(_: dict[str, str]) -> None:
        if broken:
            raise ValueError(broken[0])

    with serving(fail_while_broken), pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_MAX_ATTEMPTS", "1")
        store, entry = committed(open_location(f"{make_bucket()}/out"))
        calls = [lambda: store.find("rules", "k1"), lambda: store.bytes_of(entry.kept[0]), lambda: store.record(entry)]
        broken.append("the server answers every request with status 500")
        for call in calls:
            with pytest.raises(TryAgain, match="did not serve"):
                call()
        broken.clear()
        assert store.find("rules", "k1") == entry
