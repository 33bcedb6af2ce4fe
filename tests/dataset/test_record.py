from __future__ import annotations

import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanno_core.dataset.card import Provenance
from fanno_core.dataset.publish import publish_dataset
from fanno_core.dataset.record import PACKAGES, published, record_phase, write_rejected, write_run_record
from fanno_core.errors import RowsLost
from fanno_core.outcome import Outcome, Usage
from fanno_core.settings import Publish, Settings, make_settings
from fanno_core.store.contracts import Document, Rejection
from fanno_core.store.durable import read_whole
from fanno_core.store.ledger import Entry, FileRef, Store
from fanno_core.store.location import Location
from fanno_core.store.tables import from_parquet
from fanno_core.teachers.protocol import Identity


def entry(key: str, kept: int, reasons: dict[str, int], lost: int = 0, usage: Usage | None = None) -> Entry:
    candidates = kept + sum(reasons.values()) + lost
    refs = (FileRef(f"{key}-0", kept // 2, ""), FileRef(f"{key}-1", kept - kept // 2, ""))
    return Entry("screen", key, candidates + 1, candidates, refs, (), {}, reasons, {"p": usage} if usage else {})


ENTRIES = st.lists(
    st.builds(
        entry,
        st.uuids().map(str),
        st.integers(0, 50),
        st.dictionaries(st.sampled_from(["empty", "too_short", "private"]), st.integers(1, 9)),
    ),
    max_size=5,
)


@given(ENTRIES)
def test_a_phase_sums_its_entries(entries: list[Entry]) -> None:
    record = record_phase("screen", entries, [], 1.23456)
    assert record.candidates == record.rows_kept + sum(record.rejected.values())
    assert record.rows_in == sum(e.rows_in for e in entries)
    assert record.rows_kept == sum(e.rows_kept for e in entries)
    assert record.rejected == sum((Counter(e.reasons) for e in entries), Counter())
    assert list(record.rejected) == sorted(record.rejected)
    assert (record.name, record.tasks, record.tasks_cached, record.seconds) == (
        "screen", len(entries), len(entries), 1.235,
    )  # fmt: skip


def test_calls_and_tokens_are_those_of_this_run_alone() -> None:
    old = entry("old", 3, {}, usage=Usage(100, 1000, 500))
    new = [entry("a", 2, {"empty": 1}, usage=Usage(3, 30, 15)), entry("b", 1, {}, usage=Usage(1, 10, 5))]
    record = record_phase("screen", [old, *new], new, 0.0)
    assert (record.teacher_calls, record.prompt_tokens, record.completion_tokens) == (4, 40, 20)
    assert (record.tasks, record.tasks_cached) == (3, 1)
    assert record.rows_kept == 6


@given(ENTRIES, st.integers(-5, 5).filter(bool))
def test_rows_lost_or_doubled_stop_the_run(entries: list[Entry], lost: int) -> None:
    broken = entry("broken", 7, {"empty": 2}, lost)
    with pytest.raises(RowsLost, match=r"phase screen: \d+ candidates, but \d+ kept and \d+ rejected"):
        record_phase("screen", [*entries, broken], [], 0.0)


def test_the_run_record_tells_phases_settings_and_versions(anywhere: Location) -> None:
    phases = [record_phase("screen", [entry("a", 2, {"empty": 1})], [], 0.5)]
    settings = make_settings({"run": {"seed": 7}})
    write_run_record(anywhere, phases, [], settings, Identity("teacher", "", "1"), "encoder@2")
    record = json.loads(read_whole(anywhere / "run.json"))
    assert record["phases"] == [
        {
            "name": "screen",
            "rows_in": 4,
            "candidates": 3,
            "rows_kept": 2,
            "rejected": {"empty": 1},
            "teacher_calls": 0,
            "prompt_tokens": 0,
            "completion_tokens": 0,
            "cached_tokens": 0,
            "prompts": {},
            "tasks": 1,
            "tasks_cached": 1,
            "seconds": 0.5,
        }
    ]
    assert (record["teacher"], record["encoder"]) == ("teacher/@1", "encoder@2")
    assert make_settings(record["settings"]) == settings
    assert list(record["versions"]) == list(PACKAGES)
    assert record["versions"]["prefect"]
    assert record["dataset"] == {"rows": 0, "digest": ""}


def test_a_run_without_a_data_set_has_no_rows(anywhere: Location) -> None:
    assert published(anywhere) == {"rows": 0, "digest": ""}


@pytest.mark.parametrize("last", ["responses", "publish"])
def test_the_run_record_names_the_data_set_only_if_this_run_published_it(anywhere: Location, last: str) -> None:
    publish_dataset([], anywhere, Publish(), Provenance("t", "", "e", "direct", 1, (), []))
    manifest = json.loads(read_whole(anywhere / "dataset" / "manifest.json"))
    assert published(anywhere) == {"rows": 0, "digest": manifest["digest"]}
    write_run_record(anywhere, [record_phase(last, [], [], 0.0)], [], Settings(), Identity("t", "", ""), "e")
    record = json.loads(read_whole(anywhere / "run.json"))
    assert record["dataset"] == {"rows": 0, "digest": manifest["digest"] if last == "publish" else ""}


def test_every_rejected_row_is_written_with_phase_and_reason(
    anywhere: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(anywhere)
    one = [Rejection("a", "ingest", "empty"), Rejection("b", "ingest", "not_utf8", "bees.txt")]
    two = [Rejection("a", "screen", "too_short", text="Bees.")]
    entries = [
        store.commit(phase, "key", 2, Outcome([], rows, len(rows)), {}, Document, {})
        for phase, rows in (("screen", two), ("ingest", one), ("seeds", []))
    ]
    write_rejected(store, entries)
    path = anywhere / "rejected" / "rejected.parquet"
    found = from_parquet(read_whole(path), Rejection, "rejected")
    assert sorted(found, key=lambda row: (row.phase, row.id)) == [*one, *two]

    monkeypatch.setattr("fanno_core.store.durable.write_durably", lambda *_: pytest.fail("equal bytes were written"))
    write_rejected(store, entries[::-1])


def test_no_rejected_row_gives_an_empty_table(anywhere: Location) -> None:
    write_rejected(Store(anywhere), [])
    assert from_parquet(read_whole(anywhere / "rejected" / "rejected.parquet"), Rejection, "rejected") == []
