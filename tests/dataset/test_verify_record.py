from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fanno_core.dataset.record import record_phase, write_rejected, write_run_record
from fanno_core.dataset.verify_record import RECORD, REJECTED, check_record, shared_journal_of
from fanno_core.outcome import Usage
from fanno_core.settings import Settings
from fanno_core.store.contracts import Rejection
from fanno_core.store.durable import read_whole, write_durably
from fanno_core.store.ledger import Entry, Store
from fanno_core.store.location import Location
from fanno_core.store.tables import from_parquet, to_parquet
from fanno_core.store.verify import Damage, check_ledger, take_out
from fanno_core.teachers.protocol import Identity
from tests.store.test_ledger import committed

SHARED = "/answers.sqlite"


def recorded(out: Location) -> Store:
    """A folder as a run leaves it that screened and published nothing."""
    store, entry = committed(out)
    asked = Entry("seeds", "k2", 0, 0, (), (), asked={"seed@1": Usage(2, 30, 4)})
    store.record(asked)
    write_rejected(store, [entry, asked])
    settings = Settings.model_validate({"run": {"journal": SHARED}})
    phases = [record_phase(one.phase, [one], [one], 0.5) for one in (entry, asked)]
    write_run_record(out, phases, [entry, asked], settings, Identity("echo", "m", "r1"), "hashes")
    return store


def look(store: Store) -> list[Damage]:
    return check_record(store, check_ledger(store)[0].values())


def test_what_a_run_leaves_is_whole_and_so_is_nothing(anywhere: Location) -> None:
    assert look(Store(anywhere)) == []
    assert shared_journal_of(anywhere) == ""
    store = recorded(anywhere)
    assert look(store) == []
    assert shared_journal_of(anywhere) == SHARED


def changed(out: Path, change: Callable[[dict[str, Any]], object]) -> None:
    record = json.loads((out / RECORD).read_text())
    change(record)
    (out / RECORD).write_text(json.dumps(record))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda record: record.pop("teacher"), "it cannot be read as the record of a run"),
        (lambda record: record["settings"]["run"].update(sead=1), "it cannot be read as the record of a run"),
        (lambda record: record["phases"][0].update(rows_kept="six"), "it cannot be read as the record of a run"),
        (lambda record: record["phases"][0].update(rows_in=99), "its counts of rules are not those of the ledger"),
        (lambda record: record["phases"][0].update(rows_kept=99), "its counts of rules are not those of the ledger"),
        (lambda record: record["phases"][1].update(teacher_calls=3), "its counts of seeds are not those of the ledger"),
    ],
)
def test_a_record_of_another_shape_or_with_other_counts_is_named(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], what: str
) -> None:
    store = recorded(tmp_path)
    changed(tmp_path, change)
    assert look(store) == [Damage(RECORD, f"is damaged: {what}; the next run writes it anew")]
    take_out(tmp_path, look(store))
    assert look(store) == []


def test_earlier_runs_entries_are_no_damage(tmp_path: Path) -> None:
    store = recorded(tmp_path)
    store.record(Entry("rules", "k9", 7, 0, (), ()))
    assert look(store) == []


def test_rejected_rows_that_no_shard_holds_are_named(anywhere: Location) -> None:
    store = recorded(anywhere)
    write_durably(anywhere / REJECTED, to_parquet([Rejection("x", "rules", "never")], Rejection))
    what = "is damaged: 1 of its rows are in no shard of the ledger; the next run writes it anew"
    assert look(store) == [Damage(REJECTED, what)]
    take_out(anywhere, look(store))
    assert look(store) == []


def test_two_hundred_flipped_bits_in_the_rejected_rows(tmp_path: Path) -> None:
    """Each is noticed, or changes no row."""
    store = recorded(tmp_path)
    whole, rng, noticed = read_whole(tmp_path / REJECTED), random.Random(11), 0
    for _ in range(200):
        data = bytearray(whole)
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        (tmp_path / REJECTED).write_bytes(data)
        damages = look(store)
        noticed += bool(damages)
        assert damages or from_parquet(bytes(data), Rejection, "") == from_parquet(whole, Rejection, "")
    assert noticed > 50
