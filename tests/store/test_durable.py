from __future__ import annotations

from pathlib import Path

import pytest

from fanno_core.errors import RunStops
from fanno_core.store import durable
from fanno_core.store.durable import (
    each,
    names_in,
    read_whole,
    remove_files,
    sweep_temporaries,
    write_all_durably,
    write_durably,
    write_if_changed,
)
from fanno_core.store.location import Location, open_location


def test_what_was_written_last_is_read(anywhere: Location) -> None:
    path = anywhere / "deep" / "a [b]*?.bin"
    for data in (b"first", b"", b"third" * 100_000):
        write_durably(path, data)
        assert read_whole(path) == data


def test_what_is_not_there_is_no_empty_file(anywhere: Location) -> None:
    with pytest.raises(FileNotFoundError):
        read_whole(anywhere / "absent")


def test_a_folder_tells_the_names_of_its_files_in_order(anywhere: Location) -> None:
    assert names_in(anywhere) == []
    for name in ("b", "a", "c"):
        write_durably(anywhere / name, b"x")
    assert names_in(anywhere) == ["a", "b", "c"]
    remove_files(anywhere, ["b", "absent"])
    assert names_in(anywhere) == ["a", "c"]
    remove_files(anywhere / "absent", ["x"])


def test_equal_bytes_are_not_written_again(anywhere: Location, monkeypatch: pytest.MonkeyPatch) -> None:
    written = []
    monkeypatch.setattr(durable, "write_durably", lambda path, data: (written.append(data), write_durably(path, data)))
    for data in (b"one", b"one", b"two", b"two", b""):
        write_if_changed(anywhere / "file", data)
        assert read_whole(anywhere / "file") == data
    assert written == [b"one", b"two", b""]


def test_each_keeps_the_order_and_raises_what_was_raised(anywhere: Location) -> None:
    assert each(anywhere, lambda n: n * n, range(100)) == [n * n for n in range(100)]
    with pytest.raises(ZeroDivisionError):
        each(anywhere, lambda n: 1 // n, [1, 0])


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write_durably(path, b"old")
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(RunStops, match=r"file cannot be written \(No space left on device\)"):
        write_durably(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_killed_writers_left_is_swept(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / ".shard.parquet.123.tmp").write_bytes(b"half")
    (tmp_path / "deep" / "shard.parquet").write_bytes(b"whole")
    (tmp_path / ".mine.tmp").write_bytes(b"of somebody else")
    sweep_temporaries([tmp_path / "deep", tmp_path / "missing"])
    assert [file.name for file in (tmp_path / "deep").iterdir()] == ["shard.parquet"]
    assert (tmp_path / ".mine.tmp").exists()


def test_nothing_is_swept_from_an_object_store(bucket: str) -> None:
    out = open_location(f"{bucket}/out")
    write_durably(out / ".shard.parquet.123.tmp", b"whole, and somebody's")
    sweep_temporaries([out])
    assert names_in(out) == [".shard.parquet.123.tmp"]


def test_many_files_are_written_at_once_but_for_those_that_are_there(anywhere: Location) -> None:
    files = {f"file {number}": bytes([number]) * number for number in range(40)}
    write_all_durably(anywhere / "deep", files)
    assert {name: read_whole(anywhere / "deep" / name) for name in names_in(anywhere / "deep")} == files
    stamp = (anywhere / "deep" / "file 1").stat()
    write_all_durably(anywhere / "deep", {"file 1": b"\1", "file 2": b"new"})
    assert read_whole(anywhere / "deep" / "file 2") == b"new"
    if isinstance(anywhere, Path):
        assert (anywhere / "deep" / "file 1").stat().st_ino == stamp.st_ino
    write_all_durably(anywhere / "other", {})
    assert names_in(anywhere / "other") == []


def test_of_many_files_one_that_the_disk_does_not_take_stops_the_run(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    with pytest.raises(RunStops, match=r"cannot be written .*run again, what is done is kept"):
        write_all_durably(tmp_path, {"a": b"1", "b": b"2", "c": b"3"})
    assert {"a", "b"} <= {*names_in(tmp_path)}  # what was not begun yet is not written
