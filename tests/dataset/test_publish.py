from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from fanno_core.dataset.card import Provenance
from fanno_core.dataset.formats import digest_of
from fanno_core.dataset.publish import FOLDER, MANIFEST, publish_dataset
from fanno_core.settings import Publish
from fanno_core.store.contracts import Example
from fanno_core.store.durable import file_digest, write_if_changed

OTHERS = {"alpaca.json", "messages.jsonl", "README.md", MANIFEST}
PROVENANCE = Provenance("transformers/model@1", "encoder@2", "direct", 42, ("en",), [])


def examples(count: int) -> list[Example]:
    tags = ("multi-step", "commonsense", "imperative")
    made = ((), "think_different@0", "response_direct@0", "direct", (), "teacher")
    return [
        Example(
            f"i{n:03d}", f"Explain bee {n}.", "", f"Answer {n}.", "d0", "bees.txt", "", "d0", 0, 1,
            *tags, *made, 0.1, 0.1, 0.9, 0.4, 3,
        )
        for n in range(count)
    ]  # fmt: skip


def publish(rows: list[Example], out: Path, shard_rows: int = 50_000, system: str = "") -> tuple[list[str], set[str]]:
    """Names of the Parquet files and of the others, after holding each reference against its file."""
    parquet, others = publish_dataset(rows, out, Publish(shard_rows=shard_rows, system=system), PROVENANCE)
    for ref in (*parquet, *others.values()):
        assert file_digest(out / ref.path) == ref.sha256
        assert Path(ref.path) == Path(FOLDER) / ref.label
    assert {name: ref.label for name, ref in others.items()} == {name: name for name in others}
    assert sum(ref.rows for ref in parquet) == len(rows)
    return [ref.label for ref in parquet], set(others)


def content(out: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in (out / FOLDER).iterdir()}


def stamps(out: Path) -> dict[str, tuple[int, int]]:
    return {file.name: (file.stat().st_mtime_ns, file.stat().st_ino) for file in (out / FOLDER).iterdir()}


def ids(out: Path) -> list[list[str]]:
    files = sorted((out / FOLDER).glob("train-*.parquet"))
    return [pq.read_table(file).column("id").to_pylist() for file in files]


def test_the_folder_holds_the_files_that_are_named_and_no_others(tmp_path: Path) -> None:
    parquet, others = publish(examples(3), tmp_path)
    assert parquet == ["train-00000-of-00001.parquet"]
    assert others == OTHERS
    assert set(content(tmp_path)) == {*parquet, *OTHERS}


def test_the_manifest_names_rows_digest_and_every_file(tmp_path: Path) -> None:
    rows = examples(3)
    publish(rows, tmp_path)
    manifest = json.loads((tmp_path / FOLDER / MANIFEST).read_text(encoding="utf-8"))
    assert manifest["rows"] == 3
    assert manifest["digest"] == digest_of(rows, "")
    assert manifest["files"] == {
        name: file_digest(tmp_path / FOLDER / name) for name in content(tmp_path) if name != MANIFEST
    }
    assert f"Data set digest: `{digest_of(rows, '')}`" in content(tmp_path)["README.md"].decode()


@pytest.mark.parametrize(
    ("count", "shard_rows", "sizes"),
    [(7, 3, [3, 3, 1]), (6, 3, [3, 3]), (2, 1, [1, 1]), (3, 50, [3])],
)
def test_several_parquet_shards_hold_each_row_once_in_order(
    tmp_path: Path, count: int, shard_rows: int, sizes: list[int]
) -> None:
    rows = examples(count)
    parquet, _ = publish(rows[::-1], tmp_path, shard_rows)
    assert parquet == [f"train-{n:05d}-of-{len(sizes):05d}.parquet" for n in range(len(sizes))]
    assert [len(shard) for shard in ids(tmp_path)] == sizes
    assert [name for shard in ids(tmp_path) for name in shard] == [row.id for row in rows]
    written = content(tmp_path)
    assert [row["output"] for row in json.loads(written["alpaca.json"])] == [row.output for row in rows]
    assert len(written["messages.jsonl"].splitlines()) == count


def test_publishing_again_writes_no_byte_whatever_the_order_of_rows(tmp_path: Path) -> None:
    rows = examples(7)
    publish(rows, tmp_path, 3, "Be kind.")
    before, stamped = content(tmp_path), stamps(tmp_path)
    publish(rows[::-1], tmp_path, 3, "Be kind.")
    assert content(tmp_path) == before
    assert stamps(tmp_path) == stamped


def test_two_folders_get_the_same_bytes(tmp_path: Path) -> None:
    publish(examples(7), tmp_path / "a", 3)
    publish(examples(7), tmp_path / "b", 3)
    assert content(tmp_path / "a") == content(tmp_path / "b")


def test_a_changed_row_changes_what_holds_it_and_leaves_the_rest(tmp_path: Path) -> None:
    rows = examples(6)
    publish(rows, tmp_path, 3)
    before, stamped = content(tmp_path), stamps(tmp_path)
    publish([*rows[:5], replace(rows[5], output="Another answer.")], tmp_path, 3)
    after = content(tmp_path)
    assert {name for name in after if after[name] != before[name]} == {*OTHERS, "train-00001-of-00002.parquet"}
    assert stamps(tmp_path)["train-00000-of-00002.parquet"] == stamped["train-00000-of-00002.parquet"]


@pytest.mark.parametrize("count", [2, 0])
def test_files_of_an_earlier_data_set_are_removed_and_a_users_own_stay(tmp_path: Path, count: int) -> None:
    publish(examples(7), tmp_path, 3)
    own = tmp_path / FOLDER / "notes.txt"
    own.write_bytes(b"not ours")
    parquet, _ = publish(examples(count), tmp_path, 3)
    assert set(content(tmp_path)) == {*parquet, *OTHERS, own.name}
    assert own.read_bytes() == b"not ours"


class Killed(BaseException):
    """The process ends here."""


def publish_and_die(rows: list[Example], out: Path, monkeypatch: pytest.MonkeyPatch, writes: int | None) -> None:
    """Publishes up to this many writes; with None, up to the removal of what is stale."""
    left = iter(range(100 if writes is None else writes))

    def write(path: Path, data: bytes) -> None:
        if next(left, None) is None:
            raise Killed
        write_if_changed(path, data)

    def remove(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr("fanno_core.dataset.publish.write_if_changed", write)
        patch.setattr(Path, "unlink", remove)
        publish(rows, out, 3)


# Publishing four rows in shards of three writes two Parquet files and four others; the manifest comes last.
@pytest.mark.parametrize("writes", range(6))
def test_after_a_kill_at_any_write_the_same_rows_are_published_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    publish(examples(7), tmp_path, 3)
    publish_and_die(examples(4), tmp_path, monkeypatch, writes)
    parquet, _ = publish(examples(4), tmp_path, 3)
    assert set(content(tmp_path)) == {*parquet, *OTHERS}


def test_after_a_kill_before_the_removal_no_stale_rows_are_loaded_with_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(examples(7), tmp_path, 3)
    publish_and_die(examples(4), tmp_path, monkeypatch, None)
    publish(examples(4), tmp_path, 3)
    assert [name for shard in ids(tmp_path) for name in shard] == [row.id for row in examples(4)]


def test_what_a_killed_run_wrote_is_not_loaded_with_other_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish_and_die(examples(7), tmp_path, monkeypatch, 3)
    publish(examples(4), tmp_path, 3)
    assert [name for shard in ids(tmp_path) for name in shard] == [row.id for row in examples(4)]


@pytest.mark.parametrize("damage", [b"[]", b"null", b'"text"'])
def test_a_manifest_that_is_no_object_is_written_anew(tmp_path: Path, damage: bytes) -> None:
    publish(examples(3), tmp_path)
    before = content(tmp_path)
    (tmp_path / FOLDER / MANIFEST).write_bytes(damage)
    publish(examples(3), tmp_path)
    assert content(tmp_path) == before


def test_a_damaged_file_is_written_anew(tmp_path: Path) -> None:
    publish(examples(3), tmp_path)
    before = content(tmp_path)
    for name in before:
        (tmp_path / FOLDER / name).write_bytes(before[name][:-1])
    publish(examples(3), tmp_path)
    assert content(tmp_path) == before


def test_no_rows_are_published_without_parquet(tmp_path: Path) -> None:
    parquet, _ = publish([], tmp_path)
    assert parquet == []
    assert json.loads(content(tmp_path)["alpaca.json"]) == []
    assert content(tmp_path)["messages.jsonl"] == b""
    assert json.loads(content(tmp_path)[MANIFEST])["rows"] == 0


def test_the_system_message_reaches_both_chat_formats(tmp_path: Path) -> None:
    publish(examples(1), tmp_path, system="Be kind.")
    chat = json.loads(content(tmp_path)["messages.jsonl"])["messages"]
    assert chat[0] == {"role": "system", "content": "Be kind."}
    table = pq.read_table(tmp_path / FOLDER / "train-00000-of-00001.parquet")
    assert table.column("messages").to_pylist() == [chat]
