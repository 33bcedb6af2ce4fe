from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fanno_core.dataset.formats import MESSAGES
from fanno_core.errors import BadCorpus
from fanno_core.report.instruction_files import InstructionRow, read_instruction_file
from tests.shared_data import shared, shared_rows

PLAIN = {"instruction": "Name a colour.", "input": "", "output": "Red."}
WITH_INPUT = {"instruction": "Translate to German.", "input": "red", "output": "rot"}
READ = [("Name a colour.", "", "Red."), ("Translate to German.", "red", "rot")]


def written(path: Path, rows: list[Any], lines: bool = True) -> Path:
    text = "\n".join(json.dumps(row) for row in rows) if lines else json.dumps(rows, indent=1)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def triples(path: Path) -> list[tuple[str, str, str]]:
    return [(row.instruction, row.input, row.output) for row in read_instruction_file(path)]


@pytest.mark.parametrize(
    ("name", "lines"), [("a.json", False), ("a.json", True), ("a.jsonl", True), ("a.jsonl.gz", True)]
)
def test_alpaca_in_every_wrapping(tmp_path: Path, name: str, lines: bool) -> None:
    assert triples(written(tmp_path / name, [PLAIN, WITH_INPUT], lines)) == READ


@pytest.mark.parametrize(
    "row",
    [
        {"instruction": "Why?", "output": "So."},
        {"instruction": "Why?", "input": None, "output": "So."},
        {"instruction": "", "input": "Why?", "output": "So."},
        {"input": "Why?", "output": "So."},
        {"prompt": "Why?", "completion": "So."},
        {"question": "Why?", "context": "", "response": "So.", "category": "qa"},
        {"Instruction": "Why?", "Output": "So."},
        {"prompt": [{"role": "user", "content": "Why?"}], "completion": [{"role": "assistant", "content": "So."}]},
        {"messages": [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}]},
        {
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": [{"type": "text", "text": "Why?"}]},
                {"role": "assistant", "content": "So."},
                {"role": "user", "content": "And then?"},
                {"role": "assistant", "content": "Nothing."},
            ]
        },
        {"conversations": [{"from": "human", "value": "Why?"}, {"from": "gpt", "value": "So."}]},
        {"id": "x", "conversations": [{"from": "system", "value": "Hi."}, {"from": "user", "value": "Why?"},
                                      {"from": "assistant", "value": "So."}]},
    ],
)  # fmt: skip
def test_every_shape_that_people_publish(tmp_path: Path, row: dict[str, Any]) -> None:
    assert triples(written(tmp_path / "a.jsonl", [row])) == [("Why?", "", "So.")]


def test_parquet_with_columns_or_messages(tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_pylist([PLAIN, WITH_INPUT]), tmp_path / "a.parquet")
    assert triples(tmp_path / "a.parquet") == READ
    chat = [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}]
    pq.write_table(pa.table({"messages": pa.array([chat], MESSAGES)}), tmp_path / "b.parquet")
    assert triples(tmp_path / "b.parquet") == [("Why?", "", "So.")]


def test_csv(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('instruction,input,output\n"Name, please.",,"Red, ""dark""."\n')
    assert triples(tmp_path / "a.csv") == [("Name, please.", "", 'Red, "dark".')]


def test_ids_are_the_rows_own_or_their_numbers(tmp_path: Path) -> None:
    own = [PLAIN | {"id": "a"}, WITH_INPUT | {"id": 7}]
    assert [row.id for row in read_instruction_file(written(tmp_path / "a.jsonl", own))] == ["a", "7"]
    doubled = [PLAIN | {"id": "a"}, WITH_INPUT | {"id": "a"}]
    assert [row.id for row in read_instruction_file(written(tmp_path / "b.jsonl", doubled))] == ["1", "2"]
    some = [PLAIN | {"id": "2"}, WITH_INPUT]
    assert [row.id for row in read_instruction_file(written(tmp_path / "c.jsonl", some))] == ["1", "2"]


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([], "no rows"),
        ([PLAIN, {"instruction": "SECRET"}], "row 2 has no response"),
        ([PLAIN, {"instruction": "SECRET", "output": None}], "row 2 has no response"),
        ([PLAIN, {"text": "SECRET"}], "row 2 has no instruction (its fields: text)"),
        ([{"instruction": " ", "input": "", "output": "SECRET"}], "row 1 has no"),
        ([{"messages": [{"role": "user", "content": "SECRET"}]}], "row 1 has no response"),
        ([{"messages": [{"role": "assistant", "content": "SECRET"}]}], "row 1 has no instruction"),
        ([{"messages": "SECRET"}], "row 1 has no instruction"),
        (
            [
                {"messages": [{"role": "user", "content": [{"type": "image_url", "url": "SECRET"}]},
                              {"role": "assistant", "content": "A cat."}]}
            ],
            "row 1 has no instruction",
        ),
        ([{"instruction": "SECRET \ud800", "output": ""}], "half a character"),
        ([PLAIN, ["SECRET"]], "is not a JSON object"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_its_row(tmp_path: Path, rows: list[Any], says: str) -> None:
    with pytest.raises(BadCorpus) as caught:
        read_instruction_file(written(tmp_path / "a.json", rows, lines=False))
    assert says in str(caught.value)
    assert "a.json" in str(caught.value)
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("a.txt", b"Why?", "ending"),
        ("a.json", b'{"instruction": "SECRET"', "not JSON"),
        ("a.json", b"[" * 100_000, "not JSON"),
        ("a.jsonl", b"\xff\xfe\x00", ""),
        ("a.parquet", b"PAR1 SECRET", "cannot be read"),
        ("a.jsonl.gz", b"SECRET", "gzip"),
    ],
)
def test_damaged_and_foreign_files(tmp_path: Path, name: str, data: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(BadCorpus) as caught:
        read_instruction_file(tmp_path / name)
    assert says in str(caught.value)
    assert "SECRET" not in str(caught.value)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(BadCorpus, match="No such file"):
        read_instruction_file(tmp_path / "none.json")


def test_the_question_is_what_is_embedded() -> None:
    assert InstructionRow("1", "Translate.", "red", "rot").question == "Translate.\nred"
    assert InstructionRow("1", "Why?", "", "So.").question == "Why?"


@pytest.mark.parametrize("name", ["alpaca_sample_2000.jsonl", "dolly_filtered_1000.jsonl"])
def test_published_data_row_for_row(name: str) -> None:
    plain = shared_rows(name)
    assert [(row.id, row.instruction, row.input, row.output) for row in read_instruction_file(shared(name))] == [
        (row["id"], row["instruction"], row["input"], row["output"]) for row in plain
    ]


def test_the_projects_own_files_hold_the_same_rows(finished: Path) -> None:
    folder = finished / "dataset"
    parquet = read_instruction_file(next(folder.glob("train-*.parquet")))
    assert [(r.instruction, r.input, r.output) for r in parquet] == triples(folder / "alpaca.json")
    chats = read_instruction_file(folder / "messages.jsonl")
    assert [r.output for r in chats] == [r.output for r in parquet]


def test_of_a_task_with_instances_the_first_is_read(tmp_path: Path) -> None:
    path = tmp_path / "seed_tasks.jsonl"
    tasks = [
        {"id": "seed_task_0", "instruction": "Sort.", "instances": [{"input": "b a", "output": "a b"}, {}]},
        {"id": "seed_task_1", "instruction": "Name a prime.", "instances": [{"input": "", "output": "7"}]},
    ]
    path.write_text("\n".join(map(json.dumps, tasks)), encoding="utf-8")
    found = read_instruction_file(path)
    assert found == [
        InstructionRow("seed_task_0", "Sort.", "b a", "a b"),
        InstructionRow("seed_task_1", "Name a prime.", "", "7"),
    ]


def test_a_task_without_instances_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "seed_tasks.jsonl"
    path.write_text(json.dumps({"instruction": "Sort.", "instances": []}), encoding="utf-8")
    with pytest.raises(BadCorpus, match="row 1 has no response"):
        read_instruction_file(path)
