from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanno_core.errors import RowsLost, ShardDamaged
from fanno_core.outcome import Outcome, Usage
from fanno_core.store.contracts import Document, Rejection, SeedState
from fanno_core.store.durable import read_whole, remove_files, write_durably
from fanno_core.store.fingerprint import canonical, fingerprint
from fanno_core.store.ledger import Entry, Store, by_id
from fanno_core.store.location import Location


def documents(count: int) -> list[Document]:
    return [Document(f"{i * 7919 % 65536:04x}{i:012x}", f"text {i}", "here", str(i)) for i in range(count)]


def committed(out: Location) -> tuple[Store, Entry]:
    store, rows = Store(out), documents(5)
    outcome = Outcome(rows, [Rejection("x", "rules", "too_short")], 6)
    outcome = outcome.with_extra("bandit", SeedState, [SeedState("a", 1, 0.5, 3)])
    entry = store.commit("rules", "k1", 6, outcome, by_id(rows, 2), Document, {"quality": Usage(3, 20, 10)})
    return store, entry


def test_a_committed_entry_is_found_with_all_that_it_says(anywhere: Location) -> None:
    store, entry = committed(anywhere)
    assert store.find("rules", "k1") == entry
    assert (entry.rows_in, entry.candidates, entry.rows_kept) == (6, 6, 5)
    assert entry.reasons == {"too_short": 1}
    assert entry.usage == Usage(3, 20, 10)
    assert sorted(row.id for row in store.read(entry.kept, Document)) == sorted(row.id for row in documents(5))
    assert store.read([entry.extras["bandit"]], SeedState) == [SeedState("a", 1, 0.5, 3)]


def test_work_that_is_not_in_the_ledger_is_not_done(anywhere: Location) -> None:
    store, entry = committed(anywhere)
    assert store.find("rules", "k2") is None
    assert store.find("verdicts", "k1") is None
    remove(anywhere / "work" / "ledger" / "rules" / "k1.json")
    assert store.find("rules", "k1") is None
    assert read_whole(anywhere / entry.kept[0].path), "a file alone proves nothing"


def remove(path: Location) -> None:
    remove_files(path.parent, [path.name])


def flip(path: Location) -> None:
    data = bytearray(read_whole(path))
    data[len(data) // 2] ^= 1
    write_durably(path, bytes(data))


def cut(path: Location) -> None:
    write_durably(path, read_whole(path)[:-1])


@pytest.mark.parametrize("damage", [remove, flip, cut])
@pytest.mark.parametrize("which", ["kept", "rejected", "extra", "entry"])
def test_any_damage_undoes_the_entry(anywhere: Location, damage: Callable[[Location], object], which: str) -> None:
    store, entry = committed(anywhere)
    paths = {
        "kept": entry.kept[-1].path,
        "rejected": entry.rejected[0].path,
        "extra": entry.extras["bandit"].path,
        "entry": "work/ledger/rules/k1.json",
    }
    damage(anywhere / paths[which])
    assert store.find("rules", "k1") is None


def test_reading_a_damaged_shard_names_it(anywhere: Location) -> None:
    store, entry = committed(anywhere)
    flip(anywhere / entry.kept[0].path)
    with pytest.raises(ShardDamaged, match=entry.kept[0].path):
        store.read(entry.kept, Document)
    remove(anywhere / entry.kept[0].path)
    with pytest.raises(ShardDamaged, match=f"{entry.kept[0].path} cannot be read"):
        store.read(entry.kept, Document)


def test_every_cut_of_the_ledger_entry_is_noticed(tmp_path: Path) -> None:
    store, _ = committed(tmp_path)
    path = tmp_path / "work" / "ledger" / "rules" / "k1.json"
    data = path.read_bytes()
    for length in range(len(data)):
        path.write_bytes(data[:length])
        assert store.find("rules", "k1") is None


def test_lost_rows_stop_the_phase() -> None:
    with pytest.raises(RowsLost, match="3 candidates, but 1 kept and 1 rejected"):
        Outcome(documents(1), [Rejection("x", "rules", "too_short")], 3)


@given(st.integers(0, 400), st.integers(1, 100))
def test_shards_hold_every_row_once_and_keep_their_place(count: int, most: int) -> None:
    rows = documents(count)
    shards = by_id(rows, most)
    assert sorted(row.id for shard in shards.values() for row in shard) == sorted(row.id for row in rows)
    assert list(shards) == sorted(shards)
    if count > 1 and len(by_id(rows[1:], most)) == len(shards):
        changed = [name for name, shard in by_id(rows[1:], most).items() if shard != shards[name]]
        assert len(changed) <= 1, "a document that goes changes one shard"


@given(st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), max_size=6), st.randoms())
def test_fingerprints_do_not_depend_on_the_order_of_keys(parts: dict[str, object], rng) -> None:
    shuffled = dict(rng.sample(sorted(parts.items()), len(parts)))
    assert fingerprint("rules", 1, parts) == fingerprint("rules", 1, shuffled)
    assert fingerprint("rules", 1, parts) != fingerprint("rules", 2, parts)


@pytest.mark.parametrize("value", [float("nan"), object(), {1, 2}])
def test_a_value_without_a_canonical_form_has_no_fingerprint(value: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        canonical({"value": value})


def test_rows_that_a_phase_did_not_deal_into_a_shard_stop_it(anywhere: Location) -> None:
    outcome = Outcome(documents(3), [], 3)
    with pytest.raises(RowsLost, match="3 rows kept, but 2 dealt"):
        Store(anywhere).commit("rules", "k", 3, outcome, {"000": documents(2)}, Document, {})
    assert Store(anywhere).find("rules", "k") is None
