from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from fanno_core.store.ownership import owned
from tests.conftest import SMALL, Fanno, record_of, sets


@pytest.fixture
def out(finished: Path, tmp_path: Path) -> Path:
    """A copy of a finished run."""
    return shutil.copytree(finished, tmp_path / "out")


def flip(path: Path) -> str:
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 1
    path.write_bytes(data)
    return path.name


def test_a_finished_run_is_whole(fanno: Fanno, out: Path) -> None:
    ended = fanno("verify", out)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.endswith("files and the journal: whole\n")


def test_damage_is_named_taken_out_and_redone(fanno: Fanno, out: Path, corpus: Path) -> None:
    before = record_of(out)["dataset"]
    shard = next((out / "work/shards/seeds").glob("*-000.parquet"))
    names = {flip(shard), flip(out / "dataset/alpaca.json")}
    ended = fanno("verify", out, "--json")
    assert ended.code == 1
    told = json.loads(ended.out)
    assert {Path(damage["path"]).name for damage in told["damaged"]} == names
    assert not told["repaired"]

    repaired = fanno("verify", out, "--repair")
    assert repaired.code == 0
    assert f"fanno run --corpus ... --out {out}" in repaired.out
    assert fanno("verify", out).code == 0
    record = fanno.run(corpus, out)
    assert record["dataset"] == before
    redone = {phase["name"]: phase["tasks"] - phase["tasks_cached"] for phase in record["phases"]}
    assert {name: count for name, count in redone.items() if count} == {"seeds": 1, "publish": 1}
    assert sum(phase["teacher_calls"] for phase in record["phases"]) == 0


def test_one_flipped_answer_is_named_taken_out_and_asked_again_alone(fanno: Fanno, out: Path, corpus: Path) -> None:
    before = record_of(out)["dataset"]
    with closing(sqlite3.connect(out / "work/journal.sqlite")) as connection, connection:
        (row,) = connection.execute("SELECT min(rowid) FROM answers WHERE prompt = 'response_rag_plus'").fetchone()
        connection.execute("UPDATE answers SET answer = replace(answer, 'e', 'a') WHERE rowid = ?", [row])
    for shard in (out / "work/shards/responses").iterdir():
        flip(shard)
    ended = fanno("run", "--corpus", corpus, "--out", out, *sets(*SMALL))
    assert ended.code == 1
    assert "work/journal.sqlite holds an answer that is not what was written down; `fanno verify OUT --repair`" in (
        ended.err
    )
    assert f"work/journal.sqlite holds an answer that is not what was written down, in row {row}" in (
        fanno("verify", out, "--repair").out
    )
    record = fanno.run(corpus, out)
    assert sum(phase["teacher_calls"] for phase in record["phases"]) == 1
    assert record["dataset"] == before


def test_what_the_next_run_writes_anew_is_checked_too(fanno: Fanno, out: Path, corpus: Path) -> None:
    record = (out / "run.json").read_text()
    (out / "run.json").write_text(record.replace('"rows_in": ', '"rows_in": 1', 1))
    flip(out / "rejected/rejected.parquet")
    ended = fanno("verify", out, "--repair")
    names = {line.split()[0] for line in ended.out.splitlines() if "the next run writes it anew" in line}
    assert names == {"run.json", "rejected/rejected.parquet"}
    assert not (out / "run.json").exists()
    assert fanno.run(corpus, out)["dataset"] == json.loads(record)["dataset"]
    assert fanno("verify", out).code == 0


def test_a_folder_in_use_is_refused(fanno: Fanno, out: Path) -> None:
    with owned(out):
        ended = fanno("verify", out)
    assert ended.code == 1
    assert "another run is writing to" in ended.err


def test_a_folder_without_a_run_is_refused_and_stays_as_it_is(fanno: Fanno, tmp_path: Path) -> None:
    ended = fanno("verify", tmp_path)
    assert ended.code == 1
    assert "holds no run" in ended.err
    assert list(tmp_path.iterdir()) == []
