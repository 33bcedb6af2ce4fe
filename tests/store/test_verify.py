from __future__ import annotations

import json
from pathlib import Path

import pytest

from fanno_core.store.durable import read_whole, remove_files, sha256_of, write_durably
from fanno_core.store.fingerprint import canonical
from fanno_core.store.ledger import Entry, Store
from fanno_core.store.location import Location
from fanno_core.store.verify import Damage, check_files, check_ledger, take_out
from tests.store.test_ledger import committed

ENTRY = "work/ledger/rules/k1.json"


def look(store: Store) -> list[Damage]:
    entries, damages = check_ledger(store)
    return damages + check_files(store, entries)


def test_a_whole_store_has_no_damage(anywhere: Location) -> None:
    assert look(Store(anywhere)) == []
    store, entry = committed(anywhere)
    assert look(store) == []
    assert check_ledger(store) == ({ENTRY: entry}, [])


def flip(path: Location) -> None:
    data = bytearray(read_whole(path))
    data[len(data) // 2] ^= 1
    write_durably(path, bytes(data))


@pytest.mark.parametrize("which", ["kept", "rejected", "extra"])
def test_a_damaged_or_missing_file_is_named_with_the_entry_that_answers_for_it(anywhere: Location, which: str) -> None:
    store, entry = committed(anywhere)
    path = {"kept": entry.kept[1], "rejected": entry.rejected[0], "extra": entry.extras["bandit"]}[which].path
    flip(anywhere / path)
    assert look(store) == [Damage(path, "is damaged: its bytes are not those that were committed", (ENTRY,))]
    remove_files((anywhere / path).parent, [(anywhere / path).name])
    (damage,) = look(store)
    assert (damage.path, damage.entries) == (path, (ENTRY,))
    assert damage.what.startswith("cannot be read: ")


def as_entry(entry: Entry, **changed: object) -> bytes:
    values = entry.to_json() | changed
    return canonical({"entry": values, "sha256": sha256_of(canonical(values).encode())}).encode()


def test_an_entry_that_is_not_what_was_written_is_named(tmp_path: Path) -> None:
    store, entry = committed(tmp_path)
    path = tmp_path / ENTRY
    whole = path.read_bytes()
    for data, what in {
        whole[:-1]: "cannot be read as an entry",
        b"": "cannot be read as an entry",
        b"[]": "cannot be read as an entry",
        b"\xff" + whole: "cannot be read as an entry",
        whole.replace(b'"rows_in":6', b'"rows_in":7'): "it is not what was written",
        as_entry(entry, phase="seeds"): "is the entry of other work: seeds k1",
        as_entry(entry, kept=[{"path": "x"}]): "cannot be read as an entry",
    }.items():
        path.write_bytes(data)
        (damage,) = look(store)
        assert (damage.path, damage.entries) == (ENTRY, (ENTRY,))
        assert what in damage.what
        assert store.find("rules", "k1") is None
    assert json.loads(whole)["entry"]["rows_in"] == 6


def test_what_a_killed_writer_left_is_no_entry(tmp_path: Path) -> None:
    store, _ = committed(tmp_path)
    (tmp_path / "work/ledger/rules/.k2.json.77.tmp").write_bytes(b"half")
    assert look(store) == []


def test_what_is_taken_out_is_redone_and_nothing_else(anywhere: Location) -> None:
    store, entry = committed(anywhere)
    other = Entry("seeds", "k2", 0, 0, (), ())
    store.record(other)
    flip(anywhere / entry.kept[0].path)
    take_out(anywhere, look(store))
    assert look(store) == []
    assert store.find("rules", "k1") is None
    assert store.find("seeds", "k2") == other
    assert committed(anywhere)[1] == entry
    assert store.find("rules", "k1") == entry
