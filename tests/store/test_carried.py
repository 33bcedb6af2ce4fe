from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fanno_core.errors import ContractBroken, ShardDamaged
from fanno_core.store import carried
from fanno_core.store.carried import carry, differing, look_up, read_columns
from fanno_core.store.contracts import Document, Rejection, SeedState, Vector
from fanno_core.store.ledger import FileRef, Store
from fanno_core.store.tables import to_parquet

ROWS = 64
NIGHTS = st.lists(
    st.tuples(
        st.sets(st.integers(0, 400), max_size=60),
        st.dictionaries(st.integers(0, 400), st.integers(0, 9), max_size=300),
    ),
    min_size=1,
    max_size=5,
)


@pytest.fixture(autouse=True, scope="module")
def small_partitions() -> Iterator[None]:
    """Partitions of so few rows that a small table has many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(carried, "ROWS", ROWS)
        yield


def key(number: int) -> str:
    return sha256(str(number).encode()).hexdigest()[:16]


def state(number: int, shown: int = 0) -> SeedState:
    return SeedState(key(number), shown, 0.5, number)


def document(number: int, text: str = "") -> Document:
    return Document(key(number), text or f"About the bee {number}. " * 40, "bees.txt", str(number))


def rejection(number: int, document_id: str = "", reason: str = "short") -> Rejection:
    return Rejection(key(number), "rules", reason, document_id=document_id)


def by_key(store: Store, refs: Sequence[FileRef]) -> list[SeedState]:
    return sorted(store.read(refs, SeedState), key=lambda row: row.seed_id)


@settings(max_examples=15, deadline=None)
@given(NIGHTS)
def test_any_nights_leave_the_rows_of_a_dict(nights: list[tuple[set[int], dict[int, int]]]) -> None:
    with TemporaryDirectory() as folder:
        store, refs = Store(Path(folder)), tuple[FileRef, ...]()
        rows: dict[str, SeedState] = {}
        for gone, new in nights:
            refs = carry(store, "bandit", refs, SeedState, {*map(key, gone)}, [state(*item) for item in new.items()])
            rows = {name: row for name, row in rows.items() if name not in {*map(key, gone)}}
            rows |= {key(number): state(number, shown) for number, shown in new.items()}
            assert by_key(store, refs) == sorted(rows.values(), key=lambda row: row.seed_id)
            # Labels follow the order of keys, so that shard after shard is in order.
            assert store.read(refs, SeedState) == by_key(store, refs)
            assert all(store.out.joinpath(ref.path).name == f"{ref.sha256[:16]}-{ref.label}.parquet" for ref in refs)
        wanted = {*map(key, range(0, 400, 7))}
        assert look_up(store, refs, SeedState, wanted) == [row for row in by_key(store, refs) if row.seed_id in wanted]


@pytest.mark.parametrize("keys", [["doc-1", "", "é", "00", "0x1f", "ABCD", "id 7"], [f"row {n}" for n in range(300)]])
def test_keys_that_are_no_digests_are_held_too(tmp_path: Path, keys: list[str]) -> None:
    store = Store(tmp_path)
    refs = carry(store, "bandit", (), SeedState, (), [SeedState(name, 1, 0.0, 0) for name in keys])
    assert {row.seed_id for row in look_up(store, refs, SeedState, keys[:3])} == {*keys[:3]}
    assert carry(store, "bandit", refs, SeedState, keys, ()) == ()


def test_only_partitions_that_are_touched_are_written(tmp_path: Path) -> None:
    store = Store(tmp_path)
    before = carry(store, "ruled", (), Document, (), [document(n) for n in range(1_000)])
    assert len(before) == 16
    stamps = {ref.path: (tmp_path / ref.path).stat().st_mtime_ns for ref in before}
    after = carry(
        store, "ruled", before, Document, {key(1), "no such key"}, [document(2, "Another text."), document(2_000)]
    )
    touched = {int(key(n)[0], 16) for n in (1, 2, 2_000)}
    assert len(touched) == 3
    for number, (old, new) in enumerate(zip(before, after, strict=True)):
        assert (old is new) == (number not in touched)
    assert {ref.path: (tmp_path / ref.path).stat().st_mtime_ns for ref in before} == stamps
    assert carry(store, "ruled", after, Document, {"no such key"}, [document(2, "Another text.")]) == after


def test_the_same_rows_are_the_same_bytes_whatever_came_before(tmp_path: Path) -> None:
    store = Store(tmp_path)
    at_once = carry(store, "vectors", (), Vector, (), [vector(n) for n in range(300)])
    rest = carry(store, "vectors", (), Vector, (), [vector(n) for n in range(100, 400)])
    assert (
        carry(store, "vectors", rest, Vector, {key(n) for n in range(300, 400)}, [vector(n) for n in range(100)])
        == at_once
    )
    found = {row.id: row.vector for row in store.read(at_once, Vector)}
    assert all(np.array_equal(found[key(n)], vector(n).vector) for n in range(300))
    kept = {ref.label: to_parquet(store.read([ref], Vector), Vector) for ref in at_once}
    assert kept == {ref.label: (tmp_path / ref.path).read_bytes() for ref in at_once}


def vector(number: int) -> Vector:
    return Vector(key(number), np.arange(number, number + 8, dtype=np.float32))


def test_a_table_that_grows_or_shrinks_is_dealt_anew(tmp_path: Path) -> None:
    store, counts = Store(tmp_path), []
    refs: tuple[FileRef, ...] = ()
    for first in range(0, 1_000, 100):
        refs = carry(store, "bandit", refs, SeedState, (), [state(n) for n in range(first, first + 100)])
        counts.append(len(refs))
        assert all(ref.rows < 4 * ROWS for ref in refs)
    assert counts == [1, 4, 4, 4, 4, 16, 16, 16, 16, 16]
    refs = carry(store, "bandit", refs, SeedState, {key(n) for n in range(30, 1_000)}, ())
    assert len(refs) == 1
    assert by_key(store, refs) == sorted((state(n) for n in range(30)), key=lambda row: row.seed_id)


def test_rejections_go_with_their_id_or_their_documents(tmp_path: Path) -> None:
    store = Store(tmp_path)
    rows = [rejection(n, key(1_000 + n % 7) if n % 2 else "") for n in range(400)]
    refs = carry(store, "rejected.rules.short", (), Rejection, (), [*rows, rows[0], rejection(1, reason="long")])
    assert sum(ref.rows for ref in refs) == 402
    gone = {key(0), key(9), key(1_003)}
    refs = carry(store, "rejected.rules.short", refs, Rejection, gone, ())
    left = [row for row in [*rows, rejection(1, reason="long")] if row.id not in gone and row.document_id not in gone]
    assert sorted(map(repr, store.read(refs, Rejection))) == sorted(map(repr, left))
    assert {row.id for row in look_up(store, refs, Rejection, {key(5), key(1_001)})} == {
        key(5), *(row.id for row in left if row.document_id == key(1_001)),
    }  # fmt: skip


def test_columns_come_row_by_row_in_the_order_of_keys(tmp_path: Path) -> None:
    store = Store(tmp_path)
    refs = carry(store, "bandit", (), SeedState, (), [state(n, n) for n in range(300)])
    table = read_columns(store, refs, SeedState, ["seed_id", "shown"])
    assert table.to_pydict() == {
        "seed_id": [row.seed_id for row in by_key(store, refs)],
        "shown": [row.shown for row in by_key(store, refs)],
    }
    assert read_columns(store, (), SeedState, ["shown"]).to_pydict() == {"shown": []}


def test_rows_that_may_differ_are_those_of_other_partitions(tmp_path: Path) -> None:
    store = Store(tmp_path)
    before = carry(store, "bandit", (), SeedState, (), [state(n) for n in range(1_000)])
    after = carry(store, "bandit", before, SeedState, {key(3)}, [state(4, 1)])
    old, new = differing(store, before, after, SeedState)
    assert {row.seed_id for row in old} - {row.seed_id for row in new} == {key(3)}
    assert {*new} - {*old} == {state(4, 1)}
    assert len(old) < 200
    assert differing(store, before, before, SeedState) == ([], [])


def test_a_damaged_shard_or_a_foreign_label_or_a_doubled_key_is_refused(tmp_path: Path) -> None:
    store = Store(tmp_path)
    (ref,) = carry(store, "bandit", (), SeedState, (), [state(1)])
    with pytest.raises(ContractBroken, match="stands twice"):
        carry(store, "bandit", (ref,), SeedState, (), [state(2), state(2, 1)])
    with pytest.raises(ShardDamaged, match="no partition of a carried table"):
        look_up(store, [replace(ref, label="rejected")], SeedState, {key(1)})
    (tmp_path / ref.path).write_bytes(b"PAR1")
    with pytest.raises(ShardDamaged, match="is damaged"):
        carry(store, "bandit", (ref,), SeedState, {key(1)}, ())
    # The same rows again mend a shard that has their name.
    (again,) = carry(store, "bandit", (), SeedState, (), [state(1)])
    assert (again, store.read([again], SeedState)) == (ref, [state(1)])


@pytest.mark.slow
def test_100_changes_cost_little_more_among_32_000_rows_than_among_2_000(tmp_path: Path) -> None:
    store, seconds = Store(tmp_path), {}
    for size in (2_000, 32_000):
        refs = carry(store, "ruled", (), Document, (), [document(n) for n in range(size)])
        taken = []
        for night in range(3):
            new = [document(n, f"Night {night}.") for n in range(40)] + [document(n) for n in range(size, size + 30)]
            start = time.perf_counter()
            changed = carry(store, "ruled", refs, Document, {key(n) for n in range(100, 130)}, new)
            taken.append(time.perf_counter() - start)
        seconds[size] = min(taken)
        assert len({*changed} - {*refs}) <= 100
    print({size: round(value, 3) for size, value in seconds.items()})
    # 100 rows lie in 32 partitions of the small table, and in nearly 100 of the large one.
    assert seconds[32_000] < 6 * seconds[2_000]
