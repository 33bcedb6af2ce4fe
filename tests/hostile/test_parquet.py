"""Parquet files that are damaged, strange or made to do harm: read, or refused by file and column."""

from __future__ import annotations

import datetime
import decimal
import random
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fanno_core.documents.ingest import ingest
from fanno_core.documents.sources import find_sources
from fanno_core.outcome import Outcome
from fanno_core.settings import Ingest
from fanno_core.store.contracts import Document
from tests.hostile.conftest import GOOD, Read
from tests.hostile.measured import measure

TEXTS = [f"{GOOD} This is number {n}." for n in range(3)]
CELL_BYTES = 64 * 2**20
ONE_ROW = {"text": ["One river."]}


def read(folder: Path, table: pa.Table, **options: object) -> Outcome[Document]:
    pq.write_table(table, folder / "m.parquet", **options)
    return ingest(find_sources([str(folder / "m.parquet")]), Ingest())


def test_nulls_and_doubled_ids_are_rows_like_others(tmp_path: Path) -> None:
    outcome = read(tmp_path, pa.table({"id": ["a", "a", None, "a"], "text": [TEXTS[0], TEXTS[1], TEXTS[2], None]}))
    assert [row.carried_id for row in outcome.kept] == ["a", "a", ""]
    assert len({row.id for row in outcome.kept}) == 3
    assert [(row.reason, row.detail) for row in outcome.rejected] == [("no_text", "row 4: text is missing")]


WRONG_TYPES = {
    "int64": pa.array([1]),
    "list<": pa.array([["One river."]]),
    "struct<": pa.array([{"text": "One river."}]),
    "map<": pa.array([[("a", "b")]], pa.map_(pa.string(), pa.string())),
    "binary": pa.array([b"One river."]),
    "null": pa.array([None]),
}


@pytest.mark.parametrize("kind", WRONG_TYPES)
def test_a_text_column_of_a_wrong_type_is_named_with_its_type(tmp_path: Path, kind: str) -> None:
    outcome = read(tmp_path, pa.table({"text": WRONG_TYPES[kind]}))
    (row,) = outcome.rejected
    assert (row.reason, row.source) == ("no_text_field", "m.parquet")
    assert f"text ({kind}" in row.detail


# Values that Python cannot hold, and types that are no labels.
IDS = {
    "year 292,277": pa.array([2**62], pa.timestamp("us")),
    "year -4,713": pa.array([-(2**30)], pa.date32()),
    "nanoseconds": pa.array([1], pa.timestamp("ns")),
    "another time zone": pa.array([0], pa.timestamp("us", "Mars/Olympus")),
    "long duration": pa.array([2**62], pa.duration("s")),
    "half-float nan": pa.array([float("nan")], pa.float64()),
    "decimal": pa.array([decimal.Decimal("1.5")]),
    "date": pa.array([datetime.date(2026, 1, 1)]),
    "nested": pa.array([{"a": [{"b": "c"}]}]),
    "deep": pa.array([[[[["x"]]]]]),
    "dictionary": pa.array(["x"]).dictionary_encode(),
    "bytes": pa.array([b"\xff"]),
    "all null": pa.array([None]),
}


@pytest.mark.parametrize("kind", IDS)
def test_an_id_of_any_type_leaves_the_text_readable(tmp_path: Path, kind: str) -> None:
    outcome = read(tmp_path, pa.table({"id": IDS[kind], **ONE_ROW}))
    assert [row.text for row in outcome.kept] == ONE_ROW["text"]


@pytest.mark.parametrize(
    "names", [["text", "text"], ["TEXT", "text"], ["text", "text.a"], ["te\0xt", "text"], ["", "text"]]
)
def test_columns_may_have_odd_names(tmp_path: Path, names: list[str]) -> None:
    table = pa.Table.from_arrays([pa.array([TEXTS[0]]), pa.array([TEXTS[1]])], names=names)
    outcome = read(tmp_path, table)
    assert len(outcome.kept) + len(outcome.rejected) == 1


def test_a_column_whose_only_name_has_a_dot_is_found(tmp_path: Path) -> None:
    assert len(read(tmp_path, pa.table({"a.b": TEXTS})).kept) == 3


def test_too_many_columns_are_refused(tmp_path: Path) -> None:
    outcome = read(tmp_path, pa.table({f"c{n}": ["x"] for n in range(10_001)}))
    assert outcome.reasons == {"too_many_fields": 1}


@pytest.mark.parametrize("options", [{}, {"use_dictionary": False}, {"row_group_size": 1}, {"compression": "zstd"}])
def test_nested_and_dictionary_columns_beside_the_text_change_nothing(
    tmp_path: Path, options: dict[str, object]
) -> None:
    beside = {"tags": pa.array([["a"], None, []]), "meta": pa.array([{"x": 1}, None, {"x": None}])}
    kinds = pa.array(["a", "b", "a"]).dictionary_encode()
    outcome = read(
        tmp_path, pa.table({**beside, "kind": kinds, "text": pa.array(TEXTS).dictionary_encode()}), **options
    )
    assert [row.text for row in outcome.kept] == TEXTS


def test_wrong_statistics_change_nothing(tmp_path: Path) -> None:
    path = tmp_path / "m.parquet"
    pq.write_table(pa.table({"id": ["aaaaaaaa"] * 3, "text": TEXTS}), path, compression="none", use_dictionary=False)
    data = path.read_bytes()
    footer = data.rindex(b"aaaaaaaa")  # the last copies are the statistics: largest and smallest value
    path.write_bytes(data[:footer] + b"zzzzzzzz" + data[footer + 8 :])
    told = pq.read_metadata(path).row_group(0).column(0).statistics
    assert {told.min, told.max} != {"aaaaaaaa"}
    outcome = ingest(find_sources([str(path)]), Ingest())
    assert [row.text for row in outcome.kept] == TEXTS


def test_a_damaged_page_names_file_and_column(tmp_path: Path) -> None:
    path = tmp_path / "m.parquet"
    pq.write_table(
        pa.table({"text": TEXTS * 50}), path, compression="none", use_dictionary=False, write_page_checksum=True
    )
    data = bytearray(path.read_bytes())
    data[5000] ^= 1
    path.write_bytes(bytes(data))
    (row,) = ingest(find_sources([str(path)]), Ingest()).rejected
    assert (row.reason, row.source, row.text) == ("bad_parquet", "m.parquet", "")
    assert "column" in row.detail
    assert "text" in row.detail


FOOTERS = {
    "none": b"", "mark alone": b"PAR1", "two marks": b"PAR1PAR1", "no footer": b"PAR1" + b"\0" * 4 + b"PAR1",
    "footer beyond the file": b"PAR1" + b"\xff\xff\xff\x7fPAR1", "footer of 4 GB": b"PAR1" + b"\xff" * 4 + b"PAR1",
    "encrypted": b"PAR1" + b"\0" * 60 + b"\x20\0\0\0PARE", "noise": random.Random(1).randbytes(4096) + b"PAR1",
    "html": b"<html>Not found</html>",
}  # fmt: skip


@pytest.mark.parametrize("case", FOOTERS)
def test_a_bad_footer_rejects_the_file_by_name(tmp_path: Path, case: str) -> None:
    (tmp_path / "m.parquet").write_bytes(FOOTERS[case])
    (row,) = ingest(find_sources([str(tmp_path)]), Ingest()).rejected
    assert (row.reason, row.source) == ("bad_parquet", "m.parquet")
    assert "footer" in row.detail or not FOOTERS[case]


# Of these, pyarrow ends the process when it is asked for the size of a column.
@example(2119, 8)
@example(2826, 3)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**31), st.integers(1, 8))
def test_any_flipped_bytes_end_in_rows_or_a_rejection(
    child: ProcessPoolExecutor, tmp_path: Path, seed: int, flips: int
) -> None:
    """In the child, since Arrow itself might fall over its file."""
    path = tmp_path / "m.parquet"
    pq.write_table(pa.table({"id": ["a", "b", "c"], "text": TEXTS}), path)
    data, rng = bytearray(path.read_bytes()), random.Random(seed)
    for _ in range(flips):
        data[rng.randrange(4, len(data))] ^= 1 << rng.randrange(8)
    path.write_bytes(bytes(data))
    found = child.submit(measure, [str(path)]).result(60)
    assert found.rows >= 1


@pytest.mark.slow
@pytest.mark.parametrize("dictionary", [True, False])
@pytest.mark.parametrize("rows", [2, 1000])
def test_cells_of_64_mib_are_read_or_refused(read_beside: Read, dictionary: bool, rows: int) -> None:
    def put(folder: Path) -> None:
        cell = (GOOD * (CELL_BYTES // len(GOOD) + 1))[:CELL_BYTES]
        repeated = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array([cell]))
        if not dictionary:
            repeated = repeated.slice(0, 2).cast(pa.large_string())
        pq.write_table(
            pa.table({"text": repeated}), folder / "m.parquet", compression="zstd", use_dictionary=dictionary
        )

    found = read_beside(put)
    assert found.reasons["m.parquet"] in (["bomb"], ["exact_duplicate"])


@pytest.mark.slow
def test_a_cell_of_64_mib_that_is_no_bomb_is_read(read_beside: Read) -> None:
    def put(folder: Path) -> None:
        rng = random.Random(3)
        words = [f"{rng.randrange(10**9):x}" for _ in range(CELL_BYTES // 9)]
        pq.write_table(pa.table({"text": [" ".join(words)[:CELL_BYTES]]}), folder / "m.parquet")

    assert len(read_beside(put).kept) == 3
