"""Passages are found at every kind of place where a run could keep them, and nothing else is."""

from __future__ import annotations

import base64
import gzip
import html
import json
import random
import sqlite3
import string
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fanno_core.refresh.passages import WINDOW, Passages
from fanno_core.refresh.traces import contents, holding, traces
from tasks.artifacts import as_text

TEXT = (
    'The heron of Quillhaven "waits" on one leg, <silent> & grey; nobody — not even Zoë — has seen it fly.\n\n'
    "    It stands where the mill-race\n    meets the river,\tand counts the 37 boats of the ferry \\ man 🛶 daily.\n"
)
OTHER = "An essay on lighthouses that has nothing in common with the birds of any town, and is long enough to be kept."


def planted(folder: Path, plant: Callable[[Path, str], None], passage: str) -> Path:
    folder.mkdir()
    (folder / "other.txt").write_text(OTHER)
    plant(folder, passage)
    return folder


def in_parquet(folder: Path, passage: str) -> None:
    pq.write_table(pa.table({"id": ["a", "b"], "text": [OTHER, f"x {passage} y"]}), folder / "t.parquet")


def in_nested_parquet(folder: Path, passage: str) -> None:
    messages = [[{"role": "user", "content": OTHER}, {"role": "assistant", "content": passage}], []]
    pq.write_table(pa.table({"n": [1, 2], "messages": messages, "tags": [["a"], None]}), folder / "t.parquet")


def in_dictionary_parquet(folder: Path, passage: str) -> None:
    pq.write_table(pa.table({"text": pa.array([passage, OTHER, passage]).dictionary_encode()}), folder / "t.parquet")


def in_json(folder: Path, passage: str) -> None:
    (folder / "t.json").write_text(json.dumps({"a": [{"b": passage}]}, ensure_ascii=False), encoding="utf-8")


def in_ascii_json(folder: Path, passage: str) -> None:
    (folder / "t.jsonl").write_text(json.dumps(OTHER) + "\n" + json.dumps({"output": passage}) + "\n")


def in_json_within_json(folder: Path, passage: str) -> None:
    (folder / "t.json").write_text(json.dumps({"data": json.dumps([{"row": json.dumps([passage])}])}))


def in_markdown(folder: Path, passage: str) -> None:
    (folder / "README.md").write_text(f"| {as_text(passage)} |\n", encoding="utf-8")


def in_html(folder: Path, passage: str) -> None:
    (folder / "t.html").write_text(f"<p>{html.escape(passage)}</p>", encoding="utf-8")


def in_packed_html(folder: Path, passage: str) -> None:
    packed = base64.b64encode(gzip.compress(json.dumps([OTHER, passage]).encode())).decode()
    (folder / "t.html").write_text(f'<script type="application/gzip">{packed}</script><p>{OTHER}</p>')


def in_gzip(folder: Path, passage: str) -> None:
    (folder / "t.json.gz").write_bytes(gzip.compress(json.dumps([passage]).encode()))


def in_unknown(folder: Path, passage: str) -> None:
    (folder / "t.bin").write_bytes(b"\x00\xff\xfe" * 9 + passage.encode() + b"\xff")


def in_sqlite(folder: Path, passage: str) -> None:
    with closing(sqlite3.connect(folder / "t.sqlite")) as connection, connection:
        connection.execute("CREATE TABLE answers (key TEXT, answer TEXT)")
        # Longer than a page, so that it lies on pages of its own, cut in pieces.
        connection.execute("INSERT INTO answers VALUES ('k', ?)", [json.dumps(f"{OTHER * 60}{passage}{OTHER * 60}")])


def in_free_pages(folder: Path, passage: str) -> None:
    in_sqlite(folder, passage * 20)
    with closing(sqlite3.connect(folder / "t.sqlite")) as connection, connection:
        connection.execute("PRAGMA secure_delete = OFF")
        connection.execute("DELETE FROM answers")


PLACES = [
    in_parquet, in_nested_parquet, in_dictionary_parquet, in_json, in_ascii_json, in_json_within_json, in_markdown,
    in_html, in_packed_html, in_gzip, in_unknown, in_sqlite, in_free_pages,
]  # fmt: skip


@pytest.mark.parametrize("start", [0, 31, len(TEXT) - WINDOW - 1])
@pytest.mark.parametrize("plant", PLACES)
def test_one_window_is_found_wherever_it_is_planted(
    tmp_path: Path, plant: Callable[[Path, str], None], start: int
) -> None:
    out = planted(tmp_path / "out", plant, TEXT[start : start + WINDOW])
    found = traces(out, Passages([TEXT]))
    assert found
    assert "other.txt" not in {trace.path for trace in found}


@pytest.mark.parametrize("plant", PLACES)
def test_less_than_a_window_is_none(tmp_path: Path, plant: Callable[[Path, str], None]) -> None:
    if plant is in_free_pages:
        pytest.skip("repeats the passage, so that the pieces meet")
    start = 26  # between letters, which no place puts around a passage
    assert traces(planted(tmp_path / "out", plant, TEXT[start : start + WINDOW - 1]), Passages([TEXT])) == []


def test_a_write_ahead_log_is_searched(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "t.sqlite")) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE answers (answer TEXT)")
        connection.commit()
        connection.execute("INSERT INTO answers VALUES (?)", [TEXT])
        connection.commit()
        found = {(trace.path, trace.place) for trace in traces(tmp_path, Passages([TEXT]))}
    assert found == {("t.sqlite", "answers"), ("t.sqlite-wal", "")}


def test_a_passage_that_was_wrapped_anew_is_found(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("\n".join(TEXT.split()))
    assert traces(tmp_path, Passages([TEXT]))


def test_no_passage_stands_across_two_rows(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": [TEXT[:40], TEXT[40:80]]}), tmp_path / "t.parquet")
    assert traces(tmp_path, Passages([TEXT])) == []


def test_a_damaged_file_is_searched_as_bytes(tmp_path: Path) -> None:
    (tmp_path / "t.parquet").write_bytes(b"PAR1" + TEXT.encode() + b"PAR1")
    (tmp_path / "t.sqlite").write_bytes(b"SQLite format 3\0" + TEXT.encode())
    assert {trace.path for trace in traces(tmp_path, Passages([TEXT]))} == {"t.parquet", "t.sqlite"}


def test_what_another_text_holds_too_is_no_trace_of_this_one() -> None:
    licence = "Permission is hereby granted, free of charge, to any person obtaining a copy of this software."
    passages = Passages([f"{TEXT}\n\n{licence}"])
    assert passages.stand_in(licence.encode())
    assert passages.share(f"Another file.\n{licence}".encode())
    assert not passages.stand_in(licence.encode())
    assert passages.stand_in(TEXT.encode())
    assert passages.stand_in(f"{TEXT[-20:]}\n\n{licence}".encode()), "its own words reach into the shared ones"


def test_values_that_hold_a_passage_are_named() -> None:
    values = [OTHER.encode()] * 50
    for place in (0, 17, 49):
        values[place] = TEXT[20:90].encode()
    assert holding(values, Passages([TEXT])) == [0, 17, 49]


LETTERS = st.text(alphabet="ab \n\té", min_size=60, max_size=160)


@settings(max_examples=150, deadline=None)
@given(LETTERS, st.integers(0, 100), st.integers(WINDOW - 3, WINDOW + 3), st.sampled_from(["#", " ", ""]))
def test_windows_are_those_that_a_search_of_each_finds(text: str, start: int, length: int, around: str) -> None:
    part = text[start : start + length]
    data = f"{around}{part}{around}"
    windows = {text[i : i + WINDOW] for i in range(len(text) - WINDOW + 1)}
    folded = " ".join(f"#{text}#".split())
    passes = {folded[i : i + WINDOW] for i in range(len(folded) - WINDOW + 1)}
    as_it_stands = any(window in data for window in windows)
    with_white_folded = any(window in " ".join(f"#{data}#".split()) for window in passes)
    assert Passages([text]).stand_in(data.encode()) >= as_it_stands
    if Passages([text]).stand_in(data.encode()):
        assert as_it_stands or with_white_folded or _differs_at_the_rim(text, data)


def _differs_at_the_rim(text: str, data: str) -> bool:
    """White space that is there on both sides counts as the same, however much of it."""
    wide = " ".join(f" {text} ".split(" "))
    return any(" ".join(wide[i : i + WINDOW].split()) in " ".join(data.split()) for i in range(len(wide)))


def test_a_megabyte_takes_milliseconds(tmp_path: Path) -> None:
    import time

    rng = random.Random(7)
    words = ["".join(rng.choices(string.ascii_lowercase, k=rng.randint(2, 9))) for _ in range(3000)]
    texts = [" ".join(rng.choices(words, k=400)) for _ in range(30)]
    data = " ".join(rng.choices(words, k=700_000)).encode()
    (tmp_path / "t.txt").write_bytes(data + texts[3].encode())
    passages = Passages(texts)
    started = time.perf_counter()
    (found,) = traces(tmp_path, passages)
    assert found.windows == len(texts[3]) - WINDOW + 1
    assert (time.perf_counter() - started) / (len(data) / 1e6) < 0.5
    assert [place for place, _ in contents(tmp_path / "t.txt")] == [""]
