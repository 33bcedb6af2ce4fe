from __future__ import annotations

import json
from pathlib import Path

import pytest

from fanno_core.errors import RunStops
from fanno_core.export.target import Target, target_of, write_export
from fanno_core.store.durable import names_in, read_whole, write_durably
from fanno_core.store.location import Location

OUT = Path("/run")
FILES = {"train.json": b"[1]", "README.md": b"# Rows"}


def write(folder: Location, files: dict[str, bytes] = FILES, force: bool = False, file: str = "") -> None:
    write_export(Target(folder, file), files, {"rows": 1}, force)


def content(folder: Location) -> dict[str, bytes]:
    return {name: read_whole(folder / name) for name in names_in(folder) if name != "export.json"}


@pytest.mark.parametrize(
    ("to", "suffix", "folder", "file"),
    [
        ("/a/b", ".json", "/a/b", ""),
        ("/a/b.json", ".json", "/a", "b.json"),
        ("/a/b.v2", ".json", "/a/b.v2", ""),
        ("/a/b.parquet", ".parquet", "/a", "b.parquet"),
        ("/run/exports", ".json", "/run/exports", ""),
    ],
)
def test_a_file_is_told_from_a_folder_by_its_ending(to: str, suffix: str, folder: str, file: str) -> None:
    assert target_of(to, suffix, OUT) == Target(Path(folder), file)


@pytest.mark.parametrize(
    ("to", "said"),
    [
        ("/a/b.jsonl", "end in .json"),
        ("/a/b.csv", "end in .json"),
        ("/run/dataset", "run's own"),
        ("/run/dataset/alpaca.json", "run's own"),
        ("/run/work/shards", "run's own"),
        ("/run/versions/000001/dataset", "run's own"),
        ("/run/current/alpaca.json", "run's own"),
        ("/run/building", "run's own"),
    ],
)
def test_a_wrong_ending_and_the_runs_own_folders_are_refused(to: str, said: str) -> None:
    with pytest.raises(RunStops, match=said):
        target_of(to, ".json", OUT)


def test_what_was_written_is_written_again_without_asking_and_what_is_left_over_goes(anywhere: Location) -> None:
    write(anywhere)
    write(anywhere, {"train.json": b"[2]", "test.json": b"[3]"})
    assert content(anywhere) == {"train.json": b"[2]", "test.json": b"[3]"}
    assert set(json.loads(read_whole(anywhere / "export.json"))["files"]) == {"train.json", "test.json"}


def test_what_others_wrote_stays_unless_it_is_forced_and_nothing_is_written_before_that_is_known(
    anywhere: Location,
) -> None:
    write_durably(anywhere / "README.md", b"mine")
    with pytest.raises(RunStops, match=r"README\.md is there .* --force"):
        write(anywhere)
    assert names_in(anywhere) == ["README.md"]
    write(anywhere, force=True)
    assert content(anywhere) == FILES


@pytest.mark.parametrize("name", ["README.md", "old.json"])
def test_what_was_changed_since_stays_too(anywhere: Location, name: str) -> None:
    write(anywhere, {**FILES, "old.json": b"[0]"})
    write_durably(anywhere / name, b"by hand")
    with pytest.raises(RunStops, match=name):
        write(anywhere, {"train.json": b"[2]", "README.md": b"# New"})
    assert content(anywhere)[name] == b"by hand"
    assert content(anywhere)["train.json"] == b"[1]"


def test_others_files_beside_it_stay(anywhere: Location) -> None:
    write_durably(anywhere / "notes.txt", b"mine")
    write(anywhere)
    write(anywhere, {"train.json": b"[2]"})
    assert content(anywhere) == {"notes.txt": b"mine", "train.json": b"[2]"}


@pytest.mark.parametrize("writes", range(1, 6))
def test_an_export_that_is_killed_is_gone_on_with(tmp_path: Path, writes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"train.json": b"[0]", "README.md": b"# Old"})
    from fanno_core.export import target

    left = writes

    def dying(path: Location, data: bytes) -> None:
        nonlocal left
        if not left:
            raise KeyboardInterrupt
        left -= 1
        write_durably(path, data)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(target, "write_durably", dying)
        patch.setattr(target, "write_if_changed", dying)
        for _ in range(2):
            write(tmp_path)
    write(tmp_path)
    assert content(tmp_path) == FILES


@pytest.mark.parametrize("manifest", [b"[]", b"null", b"{}", b'{"files": []}', b"\xff", b'{"files": {"../x": ["0"]}}'])
def test_a_manifest_that_is_none_makes_no_file_ours(tmp_path: Path, manifest: bytes) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "x").write_bytes(b"mine")
    (tmp_path / "in" / "train.json").write_bytes(b"mine")
    (tmp_path / "in" / "export.json").write_bytes(manifest)
    with pytest.raises(RunStops, match=r"train\.json is there"):
        write(tmp_path / "in")
    write(tmp_path / "in", force=True)
    assert (tmp_path / "x").read_bytes() == b"mine"


def test_beside_one_file_the_manifest_carries_its_name(tmp_path: Path) -> None:
    write(tmp_path, {"bees.json": b"[1]", "bees.README.md": b"#"}, file="bees.json")
    write(tmp_path, {"ants.json": b"[1]", "ants.README.md": b"#"}, file="ants.json")
    assert {"bees.json", "bees.export.json", "ants.json", "ants.export.json"} < {*names_in(tmp_path)}
