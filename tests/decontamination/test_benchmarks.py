"""Benchmark files: which of their text is compared, and that one that cannot be read stops the run by name."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fanno_core.decontamination.benchmarks import benchmark_texts, find_benchmarks
from fanno_core.errors import BadSettings, RunStops
from fanno_core.settings import Decontaminate
from tests.shared_data import shared

ROWS: list[dict[str, Any]] = [
    {"id": "1", "question": "What is two and two?", "choices": {"text": ["3", "4"], "label": ["A", "B"]}},
    {"id": "2", "question": "Who wrote Emma, and when?", "choices": {"text": ["Austen"], "label": ["A"]}},
]
QUESTIONS = ["What is two and two?", "Who wrote Emma, and when?"]


def texts(path: Path, field: str = "") -> list[str]:
    """The texts of a benchmark file."""
    (file,) = find_benchmarks(Decontaminate(files=(str(path),), field=field))
    return benchmark_texts(file, field)


def lines(rows: Sequence[Any]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def test_every_format_gives_the_same_texts(tmp_path: Path) -> None:
    table = pa.table({"id": ["1", "2"], "question": QUESTIONS, "choices": [row["choices"] for row in ROWS]})
    pq.write_table(table, tmp_path / "a.parquet")
    csv = 'id,question\n1,What is two and two?\n2,"Who wrote Emma, and when?"\n'
    written = {
        "a.txt": "\n".join(["", *QUESTIONS, "  "]),
        "a.jsonl": lines(ROWS),
        "a.json": json.dumps(ROWS),
        "lines.json": lines(ROWS),
        "a.csv": csv,
        "a.tsv": "question\tid\nWhat is two and two?\t1\nWho wrote Emma, and when?\t2\n",
    }
    for name, text in written.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(lines(ROWS).encode()))
    for name in (*written, "a.jsonl.gz", "a.parquet"):
        assert texts(tmp_path / name) == QUESTIONS, name


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ({"Instruction": "Add these.", "input": "1, 2", "output": "3"}, "Add these.\n1, 2"),
        ({"instruction": "Add these.", "input": None}, "Add these."),
        ({"text": "not this", "prompt": "Complete this."}, "Complete this."),
        ({"turns": ["Write.", "Shorten."]}, "Write.\nShorten."),
        ({"input": "not true and true is", "target": "False"}, "not true and true is"),
    ],
)
def test_fields_have_the_names_that_benchmarks_give_them(tmp_path: Path, row: dict[str, Any], text: str) -> None:
    (tmp_path / "a.jsonl").write_text(lines([row]), encoding="utf-8")
    assert texts(tmp_path / "a.jsonl") == [text]


def test_a_named_field_is_read_alone(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(lines([{"question": "Why?", "input": "x", "Stem": "The stem."}]))
    assert texts(tmp_path / "a.jsonl", field="stem") == ["The stem."]


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.jsonl", b'{"question": "Why?"}\n{"question": "secret text\n', "line 2 is not JSON"),
        ("a.jsonl", b'["secret text"]\n', "line 1 is not a JSON object"),
        ("a.jsonl", b'{"question": "Why?"}\n{"stem": "secret text"}\n', "row 2: looked for a usual name"),
        ("a.jsonl", b'{"question": {"stem": "secret text"}}\n', "row 1: question is no text"),
        ("a.json", b'[{"question": "secret text"}', "line 1 is not JSON"),
        ("a.csv", b"id,question\n1,secret text, and more\n", "row 1: not as many values"),
        ("a.csv", b'id,question\n1,"secret text\n', "a quote is not closed"),
        ("a.parquet", b"PAR1 secret text", "it cannot be read (ArrowInvalid)"),
        ("a.txt", "secret text ü".encode("latin-1"), "neither UTF-8"),
        ("a.txt", b" \n\n", "it holds no text"),
        ("a.bin", b"secret text", "name a .txt, .jsonl"),
    ],
)
def test_a_file_that_cannot_be_read_stops_by_name_and_without_its_text(
    tmp_path: Path, name: str, content: bytes, told: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadSettings) as caught:
        texts(tmp_path / name)
    assert name in str(caught.value) and told in str(caught.value)
    assert "secret" not in str(caught.value) and "\n" not in str(caught.value)


def test_a_missing_file_and_a_folder_stop_by_name(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.jsonl", tmp_path):
        with pytest.raises(BadSettings, match=f"benchmark file {path}: .*correct decontaminate.files"):
            texts(path)


def test_files_of_one_name_are_told_apart_and_one_file_is_read_once(tmp_path: Path) -> None:
    for folder in ("gsm8k", "mmlu"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "test.txt").write_text(folder)
    named = tuple(str(tmp_path / folder / "test.txt") for folder in ("gsm8k", "mmlu", "gsm8k"))
    found = find_benchmarks(Decontaminate(files=named))
    assert [file.name for file in found] == ["gsm8k/test.txt", "mmlu/test.txt"]
    assert [file.name for file in find_benchmarks(Decontaminate(files=named[:1]))] == ["test.txt"]


def test_a_file_that_changed_since_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("One question.")
    (file,) = find_benchmarks(Decontaminate(files=(str(tmp_path / "a.txt"),)))
    (tmp_path / "a.txt").write_text("Another question.")
    with pytest.raises(RunStops, match=r"benchmark file a\.txt: not here, or changed"):
        benchmark_texts(file, "")


@pytest.mark.parametrize(
    ("name", "rows"),
    [("vicuna_80", 80), ("wizardlm_testset_218", 218), ("self_instruct_user_oriented_252", 252)],
)
def test_real_benchmarks_are_read_whole(name: str, rows: int) -> None:
    assert len(texts(shared(f"{name}.jsonl"))) == rows
