"""The flow end to end: real Prefect server, real encoder, real FAISS, the embedded teacher."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from tests.conftest import Fanno, record_of, run_here, sets

PHASES = [
    "ingest", "rules", "duplicates", "privacy", "verdicts", "encode", "communities", "queue",
    "seeds", "novelty", "augment", "responses", "publish",
]  # fmt: skip


def digests(folder: Path) -> dict[str, str]:
    """Every shard and every published file below a folder, with the digest of its bytes."""
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.name != "run.json" and (file.suffix == ".parquet" or file.parent.name == "dataset")
    }


def redone(out: Path) -> list[str]:
    """The phases of which the last run did anything."""
    return [phase["name"] for phase in record_of(out)["phases"] if phase["tasks_cached"] < phase["tasks"]]


def rows_of(out: Path) -> pd.DataFrame:
    """The published rows."""
    return pd.concat(pd.read_parquet(file) for file in sorted((out / "dataset").glob("train-*.parquet")))


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "out"))


def test_every_phase_accounts_for_every_candidate(finished: Path) -> None:
    record = record_of(finished)
    assert [phase["name"] for phase in record["phases"]] == PHASES
    for phase in record["phases"]:
        assert phase["candidates"] == phase["rows_kept"] + sum(phase["rejected"].values()), phase["name"]


def test_rejected_rows_are_all_there_with_phase_and_reason(finished: Path) -> None:
    rejected = pd.read_parquet(finished / "rejected")
    counted = rejected.groupby(["phase", "reason"]).size().to_dict()
    told = {
        (phase["name"], reason): count
        for phase in record_of(finished)["phases"]
        for reason, count in phase["rejected"].items()
    }
    assert counted == told
    assert sum(told.values()) > 20
    assert (rejected["id"].str.len() > 0).all()


def test_dataset_loads_with_datasets_in_every_form(finished: Path, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    # A cache of its own: the user's may hold an earlier data set under the same path.
    load = partial(datasets.load_dataset, split="train", cache_dir=str(tmp_path))
    rows = load(str(finished / "dataset"))
    assert len(rows) == record_of(finished)["dataset"]["rows"] > 100
    assert all(row["instruction"] and row["output"] and row["document_id"] for row in rows)
    alpaca = load("json", data_files=str(finished / "dataset" / "alpaca.json"))
    assert list(alpaca["output"]) == list(rows["output"])
    chats = load("json", data_files=str(finished / "dataset" / "messages.jsonl"))
    assert [turn["role"] for turn in chats[0]["messages"]] == ["user", "assistant"]
    assert list(chats["messages"]) == list(rows["messages"])


def test_rows_know_where_they_came_from(finished: Path) -> None:
    rows = rows_of(finished)
    assert rows["id"].is_unique
    assert rows["carried_id"].str.fullmatch(r"d\d+").all()
    assert set(rows["response_mode"]) == {"rag+"}
    augmented = rows[rows["iteration"] > 0]
    assert len(augmented) > 20
    seeds = set(rows[rows["iteration"] == 0]["id"])
    shown = {name for names in augmented["counterexamples"] for name in names}
    assert shown & seeds
    assert augmented["counterexamples"].map(len).eq(3).all()
    assert augmented["document_id"].is_unique, "augmentation uses each document once"


def test_nothing_changed_means_nothing_done(fanno: Fanno, finished: Path, corpus: Path) -> None:
    before = digests(finished)
    started = time.perf_counter()
    record = fanno.run(corpus, finished)
    assert time.perf_counter() - started < 15
    assert digests(finished) == before
    assert all(phase["tasks_cached"] == phase["tasks"] for phase in record["phases"])
    assert all(phase["teacher_calls"] == 0 for phase in record["phases"])


def test_prefect_shows_the_phases_of_the_second_run_as_cached(fanno: Fanno, finished: Path, corpus: Path) -> None:
    import httpx

    fanno.run(corpus, finished)
    url = json.loads((fanno.state / "server.json").read_text(encoding="utf-8"))["url"]
    newest = {"sort": "START_TIME_DESC", "limit": 1}
    # The server writes task runs down in batches, a moment after they end.
    for _ in range(40):
        run = httpx.post(f"{url}/flow_runs/filter", json=newest).json()[0]
        query = {"flow_runs": {"id": {"any_": [run["id"]]}}, "limit": 200}
        tasks = httpx.post(f"{url}/task_runs/filter", json=query).json()
        tasks = [task for task in tasks if not task["name"].startswith("report ")]
        names = [task["state_name"] for task in tasks]
        if len(tasks) == sum(phase["tasks"] for phase in record_of(finished)["phases"]) and set(names) == {"Cached"}:
            return
        time.sleep(0.5)
    pytest.fail(f"task runs of the second run: {names}")


def test_a_changed_response_setting_redoes_responses_and_publishing(copy: Path, corpus: Path) -> None:
    run_here([corpus], copy, "responses.retrieve=2")
    assert redone(copy) == ["responses", "publish"]


def test_a_changed_community_setting_asks_only_what_was_never_asked(copy: Path, corpus: Path) -> None:
    record = run_here([corpus], copy, "communities.per_community=2")
    calls = {phase["name"]: phase["teacher_calls"] for phase in record["phases"]}
    assert "verdicts" not in redone(copy)
    assert "responses" in redone(copy)
    seeds = next(phase for phase in record["phases"] if phase["name"] == "seeds")
    assert calls["seeds"] < seeds["candidates"], "what was asked before is answered by the journal"


@pytest.mark.parametrize("damage", ["removed", "cut", "flipped"])
def test_a_damaged_shard_is_noticed_and_made_again(copy: Path, corpus: Path, damage: str) -> None:
    before = digests(copy)
    shard = next((copy / "work" / "shards" / "verdicts").glob("*-000.parquet"))
    data = bytearray(shard.read_bytes())
    if damage == "removed":
        shard.unlink()
    elif damage == "cut":
        shard.write_bytes(data[: len(data) // 2])
    else:
        data[len(data) // 2] ^= 1
        shard.write_bytes(data)
    run_here([corpus], copy)
    assert redone(copy) == ["verdicts"]
    assert digests(copy) == before


@pytest.mark.usefixtures("fanno")
def test_concurrency_order_of_files_and_size_of_shards_change_no_byte(corpus: Path, tmp_path: Path) -> None:
    lines = corpus.read_text(encoding="utf-8").splitlines(keepends=True)
    parts = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
    parts[0].write_text("".join(lines[:70]), encoding="utf-8")
    parts[1].write_text("".join(lines[70:]), encoding="utf-8")
    run_here(parts, tmp_path / "one", "run.concurrency=1", "seeds.documents=3")
    parts[1].write_text("".join(reversed(lines[70:])), encoding="utf-8")
    run_here(parts[::-1], tmp_path / "two", "run.concurrency=8", "run.shard_rows=16", "seeds.documents=3")
    assert digests(tmp_path / "one" / "dataset") == digests(tmp_path / "two" / "dataset")


@pytest.mark.parametrize(
    ("setting", "column", "value"),
    [
        ("responses.mode=document", "response_mode", {"document"}),
        ("responses.mode=rag", "response_mode", {"rag"}),
        ("augment.iterate=false", "iteration", {0}),
    ],
)
def test_ablations_are_one_word(copy: Path, corpus: Path, setting: str, column: str, value: set[object]) -> None:
    run_here([corpus], copy, setting)
    assert set(rows_of(copy)[column]) == value


@pytest.mark.parametrize(
    ("setting", "shots"),
    [("augment.selection=random", {3}), ("augment.selection=none", {0}), ("augment.bandit=published", {3})],
)
def test_every_selection_of_counterexamples_runs(copy: Path, corpus: Path, setting: str, shots: set[int]) -> None:
    run_here([corpus], copy, setting, "responses.mode=document")
    rows = rows_of(copy)
    assert set(rows[rows["iteration"] > 0]["counterexamples"].map(len)) == shots


def test_direct_responses_of_a_teacher_that_needs_documents_are_refused_before_any_work(
    fanno: Fanno, corpus: Path, tmp_path: Path
) -> None:
    ended = fanno("run", "--corpus", corpus, "--out", tmp_path, *sets("responses.mode=direct"))
    assert ended.code == 1
    assert "responses.mode=direct: the teacher extractive answers only from documents" in ended.err
    assert not (tmp_path / "work" / "shards").exists()


def test_fast_communities_run_in_the_flow(copy: Path, corpus: Path) -> None:
    record = run_here([corpus], copy, "communities.partition=fast", "communities.min_size=2", "augment.iterate=false")
    communities = next(phase for phase in record["phases"] if phase["name"] == "communities")
    assert communities["rejected"]["small_community"] > 0
    assert communities["rows_kept"] > 0
