from __future__ import annotations

import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanno_core.errors import ContractBroken, ShardDamaged
from fanno_core.store import contracts
from fanno_core.store.contracts import Document, Rejection, SeedState, Vector, schema_of
from fanno_core.store.tables import from_parquet, to_parquet

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
DOCUMENTS = st.lists(
    st.builds(
        Document,
        id=TEXT,
        text=TEXT,
        source=TEXT,
        location=TEXT,
        words=st.integers(0, 10**9),
        quality=st.floats(0, 1),
        personal_data=st.lists(TEXT, max_size=3).map(tuple),
    ),
    max_size=12,
    unique_by=lambda row: row.id,
)


@given(DOCUMENTS, st.randoms())
def test_rows_come_back_and_their_order_changes_no_byte(rows: list[Document], rng) -> None:
    data = to_parquet(rows, Document)
    assert from_parquet(data, Document, "shard") == sorted(rows, key=lambda row: row.id)
    shuffled = rng.sample(rows, len(rows))
    assert to_parquet(shuffled, Document) == data


@given(st.integers(0, 20), st.integers(1, 9))
def test_vectors_come_back_bit_for_bit(count: int, dimensions: int) -> None:
    values = np.random.default_rng(count).standard_normal((count, dimensions)).astype(np.float32)
    rows = [Vector(f"{i:03d}", values[i]) for i in range(count)]
    back = from_parquet(to_parquet(rows, Vector), Vector, "shard")
    assert [row.id for row in back] == [row.id for row in rows]
    assert all((a.vector == b.vector).all() for a, b in zip(back, rows, strict=True))


def test_vectors_take_the_room_of_their_numbers() -> None:
    vectors = np.random.default_rng(0).normal(size=(256, 384)).astype(np.float32)
    rows = [Vector(f"{number:016x}", vector) for number, vector in enumerate(vectors)]
    assert len(to_parquet(rows, Vector)) < 1.05 * vectors.nbytes


def test_a_doubled_key_is_refused() -> None:
    rows = [SeedState("a", 1, 0.5, 0), SeedState("a", 2, 0.5, 0)]
    with pytest.raises(ContractBroken, match="stands twice"):
        to_parquet(rows, SeedState)


def test_a_null_and_a_wrong_type_are_refused() -> None:
    with pytest.raises(ContractBroken, match="null"):
        to_parquet([SeedState("a", None, 0.5, 0)], SeedState)  # type: ignore[arg-type]
    with pytest.raises(ContractBroken, match="do not fit"):
        to_parquet([SeedState("a", "many", 0.5, 0)], SeedState)  # type: ignore[arg-type]


def test_rejections_may_share_an_id() -> None:
    rows = [Rejection("a", "rules", "too_short"), Rejection("a", "ingest", "empty"), Rejection("a", "ingest", "empty")]
    assert len(from_parquet(to_parquet(rows, Rejection), Rejection, "shard")) == 3


def test_every_flipped_byte_of_the_pages_is_noticed() -> None:
    rows = [Document(f"{i:016x}", f"text {i} " * 9, "here", str(i)) for i in range(50)]
    data = to_parquet(rows, Document)
    unnoticed = 0
    for offset in range(4, len(data), max(1, len(data) // 200)):
        damaged = bytearray(data)
        damaged[offset] ^= 0x10
        try:
            unnoticed += from_parquet(bytes(damaged), Document, "shard") != rows
        except ShardDamaged as error:
            assert "shard" in str(error)
    # Page checksums do not cover the footer; the ledger's SHA-256 does.
    assert unnoticed <= 2


def test_another_contract_is_refused() -> None:
    with pytest.raises(ShardDamaged, match="columns"):
        from_parquet(to_parquet([], SeedState), Document, "shard")


@pytest.mark.parametrize(
    "contract",
    [kind for kind in vars(contracts).values() if isinstance(kind, type) and hasattr(kind, "__dataclass_fields__")],
)
def test_every_column_says_what_it_means(contract: type) -> None:
    assert all(f.metadata["meaning"] for f in fields(contract))
    assert all(f.metadata[b"meaning"] for f in schema_of(contract))


READS = """
import sys
from pathlib import Path
from fanno_core.store.contracts import SeedState
from fanno_core.store.tables import from_parquet
threads = lambda: len(list(Path("/proc/self/task").iterdir()))
data = Path(sys.argv[1]).read_bytes()
before = threads()
from_parquet(data, SeedState, "shard")
print(threads() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="threads are counted in /proc")
def test_reading_starts_no_thread_that_could_abort_an_ending_process(tmp_path: Path) -> None:
    shard = tmp_path / "shard.parquet"
    shard.write_bytes(to_parquet([SeedState(f"{i:05d}", 1, 0.5, 0) for i in range(5000)], SeedState))
    ended = subprocess.run([sys.executable, "-c", READS, str(shard)], capture_output=True, text=True, check=True)
    assert ended.stdout == "0\n"
