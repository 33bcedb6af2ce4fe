from __future__ import annotations

import json
from dataclasses import asdict, fields, replace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fanno_core.dataset.formats import alpaca_bytes, digest_of, messages_bytes, messages_of, parquet_bytes
from fanno_core.store.contracts import Example, schema_of

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
SHARE = st.floats(0, 1)
ROWS = st.lists(
    st.builds(
        Example,
        **dict.fromkeys(("id", "instruction", "input", "output", "source", "licence"), TEXT),
        document_id=TEXT,
        community=TEXT,
        topic=st.integers(0, 99),
        iteration=st.integers(0, 9),
        characteristic=TEXT,
        task_type=TEXT,
        form=TEXT,
        counterexamples=st.lists(TEXT, max_size=3).map(tuple),
        instruction_prompt=TEXT,
        response_prompt=TEXT,
        response_mode=TEXT,
        retrieved=st.lists(TEXT, max_size=3).map(tuple),
        teacher=TEXT,
        instruction_sampling=TEXT,
        response_sampling=TEXT,
        instruction_cut_tokens=st.integers(0, 9999),
        response_cut_tokens=st.integers(0, 9999),
        private=SHARE,
        unsafe=SHARE,
        answerable=SHARE,
        similarity=st.floats(-1, 1),
        output_tokens=st.integers(0, 9999),
    ),
    max_size=5,
    unique_by=lambda row: row.id,
)
SYSTEMS = ["", "Be kind."]
ODD = 'quotes " and \\ lines\nand\r\nmore\u2028and\u2029 {"messages": []} ```'


def example(name: str = "i0", **changed: Any) -> Example:
    row = Example(
        id=name,
        instruction="Explain why bees dance.",
        input="",
        output="To tell where flowers are.",
        document_id="d0",
        source="bees.txt",
        licence="CC0-1.0",
        community="d0",
        topic=1,
        iteration=2,
        characteristic="multi-step",
        task_type="commonsense",
        form="imperative",
        counterexamples=("s0",),
        instruction_prompt="think_different@0",
        response_prompt="response_rag@0",
        response_mode="rag",
        retrieved=("d1", "d2"),
        teacher="scripted/tests@1",
        instruction_sampling="temperature=0",
        response_sampling="temperature=0",
        instruction_cut_tokens=0,
        response_cut_tokens=7,
        private=0.1,
        unsafe=0.2,
        answerable=0.9,
        similarity=0.4,
        output_tokens=5,
    )
    return replace(row, **changed)


@settings(max_examples=40)
@given(ROWS)
def test_alpaca_is_one_json_list_with_a_row_a_line(rows: list[Example]) -> None:
    data = alpaca_bytes(rows)
    assert json.loads(data) == [{"instruction": r.instruction, "input": r.input, "output": r.output} for r in rows]
    if rows:
        assert len(data.split(b"\n")) == len(rows) + 3  # two brackets, and what follows the last line feed


@pytest.mark.parametrize("system", SYSTEMS)
@settings(max_examples=40)
@given(rows=ROWS)
def test_messages_are_one_json_chat_a_line(system: str, rows: list[Example]) -> None:
    data = messages_bytes(rows, system)
    assert data.count(b"\n") == len(rows)
    chats = [json.loads(line)["messages"] for line in data.split(b"\n")[:-1]]
    roles = ["system", "user", "assistant"] if system else ["user", "assistant"]
    for row, chat in zip(rows, chats, strict=True):
        assert [turn["role"] for turn in chat] == roles
        assert all(set(turn) == {"role", "content"} for turn in chat)
        assert chat[-1]["content"] == row.output
        assert not system or chat[0]["content"] == system


def test_the_users_turn_is_the_instruction_and_then_the_input() -> None:
    assert messages_of(example(), "")[0]["content"] == "Explain why bees dance."
    assert messages_of(example(input="Bees\ndance."), "")[0]["content"] == "Explain why bees dance.\n\nBees\ndance."


@pytest.mark.parametrize("system", SYSTEMS)
def test_odd_characters_come_back_from_every_format(system: str) -> None:
    row = example(instruction=ODD, input=ODD, output=ODD)
    assert json.loads(alpaca_bytes([row])) == [{"instruction": ODD, "input": ODD, "output": ODD}]
    assert json.loads(messages_bytes([row], system))["messages"] == messages_of(row, system)
    (back,) = read(parquet_bytes([row], system)).to_pylist()
    assert (back["output"], back["messages"]) == (ODD, messages_of(row, system))


def read(data: bytes) -> pa.Table:
    return pq.read_table(pa.BufferReader(data), page_checksum_verification=True)


@pytest.mark.parametrize("system", SYSTEMS)
@settings(max_examples=40)
@given(rows=ROWS)
def test_parquet_has_the_columns_of_an_example_and_its_messages(system: str, rows: list[Example]) -> None:
    table = read(parquet_bytes(rows, system))
    columns = [field.name for field in fields(Example)]
    assert sorted(table.column_names) == sorted([*columns, "messages"])
    assert [name for name in table.column_names if name != "messages"] == columns
    assert table.select(columns).schema.equals(schema_of(Example))
    for row, back in zip(rows, table.to_pylist(), strict=True):
        assert back.pop("messages") == messages_of(row, system)
        assert {name: tuple(v) if isinstance(v, list) else v for name, v in back.items()} == asdict(row)


def test_every_parquet_column_says_what_it_means() -> None:
    assert all(field.metadata[b"meaning"] for field in read(parquet_bytes([example()], "")).schema)


@settings(max_examples=40)
@given(ROWS, st.randoms(use_true_random=False))
def test_the_digest_does_not_depend_on_the_order_of_rows(rows: list[Example], shuffler) -> None:
    assert digest_of(shuffler.sample(rows, len(rows)), "") == digest_of(rows, "")


CHANGED = {str: "changed", int: 77, float: 0.123, tuple: ("changed",)}


@pytest.mark.parametrize("name", [field.name for field in fields(Example)])
def test_the_digest_changes_with_any_field(name: str) -> None:
    rows = [example("i0"), example("i1"), example("i2")]
    value = CHANGED[type(getattr(rows[1], name))]
    changed = [rows[0], replace(rows[1], **{name: value}), rows[2]]
    assert changed != rows
    assert digest_of(changed, "") != digest_of(rows, "")


def test_the_digest_changes_with_the_number_of_rows_and_where_text_moves_between_fields() -> None:
    row = example(instruction="Bees", input="dance")
    digests = [
        digest_of(rows, "")
        for rows in (
            [],
            [row],
            [row, replace(row, id="i1")],
            [replace(row, instruction="Bees dance", input="")],
            [replace(row, instruction="", input="Bees dance")],
            [replace(row, retrieved=("d1d2",))],
            [replace(row, retrieved=("d1",), counterexamples=("s0", "d2"))],
        )
    ]
    assert len(set(digests)) == len(digests)


def test_the_digest_changes_with_the_system_message() -> None:
    assert digest_of([example()], "Be kind.") != digest_of([example()], "")
