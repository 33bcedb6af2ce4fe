from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import datasets
import fsspec
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fanno_core.dataset.card import Provenance
from fanno_core.dataset.formats import digest_of
from fanno_core.dataset.publish import FOLDER, MANIFEST, publish_dataset
from fanno_core.settings import Publish
from fanno_core.store.contracts import Example
from fanno_core.store.durable import names_in, read_whole, sha256_of, write_durably, write_if_changed
from fanno_core.store.location import Location, open_location

OTHERS = {"alpaca.json", "messages.jsonl", "README.md", MANIFEST}
PROVENANCE = Provenance("transformers/model@1", "Apache-2.0", "encoder@2", "direct", 42, ("en",), [])


def examples(count: int) -> list[Example]:
    tags = ("multi-step", "commonsense", "imperative")
    made = ((), "think_different@0", "response_direct@0", "direct", (), "teacher", "greedy", "greedy", 0, 0)
    return [
        Example(
            f"i{n:03d}", f"Explain bee {n}.", "", f"Answer {n}.", "d0", "bees.txt", "", "d0", 0, 1,
            *tags, *made, 0.1, 0.1, 0.9, 0.4, 3,
        )
        for n in range(count)
    ]  # fmt: skip


def publish(
    rows: list[Example], out: Location, shard_rows: int = 50_000, system: str = ""
) -> tuple[list[str], set[str]]:
    """Names of the Parquet files and of the others, after holding each reference against its file."""
    parquet, others = publish_dataset(rows, out, Publish(shard_rows=shard_rows, system=system), PROVENANCE)
    for ref in (*parquet, *others.values()):
        assert sha256_of(read_whole(out / ref.path)) == ref.sha256
        assert Path(ref.path) == Path(FOLDER) / ref.label
    assert {name: ref.label for name, ref in others.items()} == {name: name for name in others}
    assert sum(ref.rows for ref in parquet) == len(rows)
    return [ref.label for ref in parquet], set(others)


def content(out: Location) -> dict[str, bytes]:
    return {name: read_whole(out / FOLDER / name) for name in names_in(out / FOLDER)}


def stamps(out: Path) -> dict[str, tuple[int, int]]:
    return {file.name: (file.stat().st_mtime_ns, file.stat().st_ino) for file in (out / FOLDER).iterdir()}


def ids(out: Location) -> list[list[str]]:
    files = [data for name, data in content(out).items() if name.startswith("train-")]
    return [pq.read_table(pa.BufferReader(data)).column("id").to_pylist() for data in files]


def test_the_folder_holds_the_files_that_are_named_and_no_others(anywhere: Location) -> None:
    parquet, others = publish(examples(3), anywhere)
    assert parquet == ["train-00000-of-00001.parquet"]
    assert others == OTHERS
    assert set(content(anywhere)) == {*parquet, *OTHERS}


def test_the_manifest_names_rows_digest_and_every_file(tmp_path: Path) -> None:
    rows = examples(3)
    publish(rows, tmp_path)
    manifest = json.loads((tmp_path / FOLDER / MANIFEST).read_text(encoding="utf-8"))
    assert manifest["rows"] == 3
    assert manifest["digest"] == digest_of(rows, "")
    assert manifest["files"] == {name: sha256_of(data) for name, data in content(tmp_path).items() if name != MANIFEST}
    assert f"Data set digest: `{digest_of(rows, '')}`" in content(tmp_path)["README.md"].decode()


@pytest.mark.parametrize(
    ("count", "shard_rows", "sizes"),
    [(7, 3, [3, 3, 1]), (6, 3, [3, 3]), (2, 1, [1, 1]), (3, 50, [3])],
)
def test_several_parquet_shards_hold_each_row_once_in_order(
    anywhere: Location, count: int, shard_rows: int, sizes: list[int]
) -> None:
    rows = examples(count)
    parquet, _ = publish(rows[::-1], anywhere, shard_rows)
    assert parquet == [f"train-{n:05d}-of-{len(sizes):05d}.parquet" for n in range(len(sizes))]
    assert [len(shard) for shard in ids(anywhere)] == sizes
    assert [name for shard in ids(anywhere) for name in shard] == [row.id for row in rows]
    written = content(anywhere)
    assert [row["output"] for row in json.loads(written["alpaca.json"])] == [row.output for row in rows]
    assert len(written["messages.jsonl"].splitlines()) == count


def test_publishing_again_writes_no_byte_whatever_the_order_of_rows(tmp_path: Path) -> None:
    rows = examples(7)
    publish(rows, tmp_path, 3, "Be kind.")
    before, stamped = content(tmp_path), stamps(tmp_path)
    publish(rows[::-1], tmp_path, 3, "Be kind.")
    assert content(tmp_path) == before
    assert stamps(tmp_path) == stamped


def test_two_folders_get_the_same_bytes_on_the_disk_and_on_s3(tmp_path: Path, bucket: str) -> None:
    folders = [tmp_path / "a", tmp_path / "b", open_location(f"{bucket}/out")]
    made = [publish_dataset(examples(7), out, Publish(shard_rows=3), PROVENANCE) for out in folders]
    assert content(folders[0]) == content(folders[1]) == content(folders[2])
    assert made[0] == made[1] == made[2]


def test_a_data_set_on_s3_is_loaded_from_its_url(bucket: str, tmp_path: Path) -> None:
    publish(examples(7), open_location(f"{bucket}/out"), 3)
    url = f"{bucket}/out/{FOLDER}"
    named = [row.id for row in examples(7)]
    assert pd.read_parquet(f"{url}/train-00001-of-00003.parquet")["id"].tolist() == named[3:6]
    assert pd.read_json(f"{url}/alpaca.json")["output"].tolist() == [row.output for row in examples(7)]
    system = fsspec.filesystem("s3")
    files = [f"s3://{path}" for path in sorted(system.glob(f"{url}/train-*.parquet"))]
    assert pq.read_table(files, filesystem=system).column("id").to_pylist() == named
    train = {"train": f"{url}/train-*.parquet"}
    rows = datasets.load_dataset("parquet", data_files=train, split="train", cache_dir=str(tmp_path))
    assert rows["id"] == named


def test_folders_of_one_name_are_loaded_as_what_they_hold(tmp_path: Path) -> None:
    both = [examples(3), [replace(row, output="Another answer.") for row in examples(3)]]
    for name, rows in zip("ab", both, strict=True):
        publish(rows, tmp_path / name)
    loaded = [
        datasets.load_dataset(str(tmp_path / name / FOLDER), split="train", cache_dir=str(tmp_path / "cache"))
        for name in "ab"
    ]
    assert [found["output"][:] for found in loaded] == [[row.output for row in rows] for rows in both]


def test_a_changed_row_changes_what_holds_it_and_leaves_the_rest(tmp_path: Path) -> None:
    rows = examples(6)
    publish(rows, tmp_path, 3)
    before, stamped = content(tmp_path), stamps(tmp_path)
    publish([*rows[:5], replace(rows[5], output="Another answer.")], tmp_path, 3)
    after = content(tmp_path)
    assert {name for name in after if after[name] != before[name]} == {*OTHERS, "train-00001-of-00002.parquet"}
    assert stamps(tmp_path)["train-00000-of-00002.parquet"] == stamped["train-00000-of-00002.parquet"]


@pytest.mark.parametrize("count", [2, 0])
def test_files_of_an_earlier_data_set_are_removed_and_a_users_own_stay(anywhere: Location, count: int) -> None:
    publish(examples(7), anywhere, 3)
    own = anywhere / FOLDER / "notes.txt"
    write_durably(own, b"not ours")
    parquet, _ = publish(examples(count), anywhere, 3)
    assert set(content(anywhere)) == {*parquet, *OTHERS, own.name}
    assert read_whole(own) == b"not ours"


class Killed(BaseException):
    """The process ends here."""


def publish_and_die(rows: list[Example], out: Location, monkeypatch: pytest.MonkeyPatch, writes: int | None) -> None:
    """Publishes up to this many writes; with None, up to the removal of what is stale."""
    left = iter(range(100 if writes is None else writes))

    def write(path: Location, data: bytes) -> None:
        if next(left, None) is None:
            raise Killed
        write_if_changed(path, data)

    def remove(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr("fanno_core.dataset.publish.write_if_changed", write)
        if writes is None:
            patch.setattr("fanno_core.dataset.publish.remove_files", remove)
        publish(rows, out, 3)


# Publishing four rows in shards of three writes two Parquet files and four others; the manifest comes last.
@pytest.mark.parametrize("writes", range(6))
def test_after_a_kill_at_any_write_the_same_rows_are_published_whole(
    anywhere: Location, monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    publish(examples(7), anywhere, 3)
    publish_and_die(examples(4), anywhere, monkeypatch, writes)
    parquet, _ = publish(examples(4), anywhere, 3)
    assert set(content(anywhere)) == {*parquet, *OTHERS}


def test_after_a_kill_before_the_removal_no_stale_rows_are_loaded_with_the_others(
    anywhere: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(examples(7), anywhere, 3)
    publish_and_die(examples(4), anywhere, monkeypatch, None)
    publish(examples(4), anywhere, 3)
    assert [name for shard in ids(anywhere) for name in shard] == [row.id for row in examples(4)]


def test_what_a_killed_run_wrote_is_not_loaded_with_other_rows(
    anywhere: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_and_die(examples(7), anywhere, monkeypatch, 3)
    publish(examples(4), anywhere, 3)
    assert [name for shard in ids(anywhere) for name in shard] == [row.id for row in examples(4)]


@pytest.mark.parametrize("damage", [b"[]", b"null", b'"text"'])
def test_a_manifest_that_is_no_object_is_written_anew(anywhere: Location, damage: bytes) -> None:
    publish(examples(3), anywhere)
    before = content(anywhere)
    write_durably(anywhere / FOLDER / MANIFEST, damage)
    publish(examples(3), anywhere)
    assert content(anywhere) == before


def test_a_damaged_file_is_written_anew(anywhere: Location) -> None:
    publish(examples(3), anywhere)
    before = content(anywhere)
    for name in before:
        write_durably(anywhere / FOLDER / name, before[name][:-1])
    publish(examples(3), anywhere)
    assert content(anywhere) == before


def test_no_rows_are_published_without_parquet(anywhere: Location) -> None:
    parquet, _ = publish([], anywhere)
    assert parquet == []
    assert json.loads(content(anywhere)["alpaca.json"]) == []
    assert content(anywhere)["messages.jsonl"] == b""
    assert json.loads(content(anywhere)[MANIFEST])["rows"] == 0


def test_the_system_message_reaches_both_chat_formats(tmp_path: Path) -> None:
    publish(examples(1), tmp_path, system="Be kind.")
    chat = json.loads(content(tmp_path)["messages.jsonl"])["messages"]
    assert chat[0] == {"role": "system", "content": "Be kind."}
    table = pq.read_table(tmp_path / FOLDER / "train-00000-of-00001.parquet")
    assert table.column("messages").to_pylist() == [chat]
