from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fanno_core.errors import RunStops
from fanno_core.export.condition import COLUMNS, FUNCTIONS, rows_where
from fanno_core.store.contracts import Example
from tests.dataset.test_formats import ROWS
from tests.export.rows import row

DOCUMENT = "the text of document 4711"
ROWS_HERE = [
    row(0, output_tokens=100, task_type="reasoning", flags=("link",), source="a.txt"),
    row(1, output_tokens=400, task_type="reasoning", flags=(), source="it's"),
    row(2, output_tokens=200, task_type="translation", flags=("link", "script"), source=DOCUMENT, retrieved=()),
]


def numbers(condition: str) -> list[int]:
    return [int(found.id, 16) for found in rows_where(ROWS_HERE, condition)]


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        ("output_tokens < 300 AND task_type = 'reasoning'", [0]),
        ("output_tokens >= 200", [1, 2]),
        ("output_tokens < '300'", [0, 2]),
        ('"output_tokens" < 300 AND "task_type" LIKE \'trans%\'', [2]),
        ("flags = '[]'", [1]),
        ("json_array_length(flags) > 1", [2]),
        ("EXISTS (SELECT 1 FROM json_each(flags) WHERE value = 'link')", [0, 2]),
        ("source = 'it''s'", [1]),
        ("source IN ('a.txt', 'it''s')", [0, 1]),
        ("instr(source, '--') = 0 AND source != ')'", [0, 1, 2]),
        ("output_tokens = (SELECT max(output_tokens) FROM rows)", [1]),
        ("TRUE", [0, 1, 2]),
        ("length(output) BETWEEN 1 AND 100 AND (topic = 1 OR iteration > 5)", [0, 1, 2]),
        ("CASE WHEN task_type = 'reasoning' THEN output_tokens > 100 ELSE 1 END", [1, 2]),
    ],
)
def test_rows_that_fit_are_kept_in_their_order(condition: str, kept: list[int]) -> None:
    assert numbers(condition) == kept


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("output_token < 300", "output_token, which is no column of the rows; did you mean output_tokens"),
        ("nothing_like_it = 1", f"there are {', '.join(COLUMNS)}"),
        ("rows.colour = 1", "rows.colour, which is no column"),
        ('task_type = "reasoning"', "single quotes"),
        ("output_tokens <", "syntax error"),
        ("", "syntax error"),
        ("output_tokens < 300)", "each bracket"),
        ("1) UNION SELECT id FROM rows WHERE (1", "each bracket"),
        ("1 -- (\n) UNION SELECT id FROM rows WHERE (1", "without comments"),
        ("1 /* ", "without comments"),
        ("1; DROP TABLE rows", "no condition that SQLite can read"),
        ("output_tokens < 300; SELECT 1", "no condition that SQLite can read"),
        ("words(output) < 3", "no such function: words"),
        ("FALSE", "none of the 3 rows fits"),
        ("NULL", "none of the 3 rows fits"),
        ("flags LIKE '" + "%a" * 200 + "'", "pattern too complex"),
        ("id = '\x00'", "null character|unrecognized token"),
        ("id = '\ud800'", "no condition"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(condition: str, said: str) -> None:
    with pytest.raises(RunStops, match=said):
        rows_where(ROWS_HERE, condition)


@pytest.mark.parametrize(
    "condition",
    [
        "(SELECT count(*) FROM sqlite_master) > 0",
        "(SELECT count(*) FROM sqlite_schema) > 0",
        "(SELECT count(*) FROM pragma_database_list) > 0",
        "(SELECT name FROM pragma_function_list LIMIT 1) > ''",
        "load_extension('x') IS NULL",
        "random() > 0",
        "randomblob(9) > ''",
        "zeroblob(9) > ''",
        "date('now') > ''",
        "printf('%9d', 1) > ''",
        "writefile('x', output) > 0",
        "changes() = 0",
        "iteration IN (WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c)",
    ],
)
def test_it_may_read_the_rows_and_do_nothing_else(condition: str) -> None:
    with pytest.raises(RunStops, match=r"nothing else|no such function|no such table"):
        rows_where(ROWS_HERE, condition)


@pytest.mark.parametrize(
    "statement", ["ATTACH '{}' AS x", "VACUUM INTO '{}'", "CREATE TABLE x (y)", "DELETE FROM rows"]
)
def test_a_statement_is_no_condition_and_leaves_nothing(statement: str, tmp_path: Path) -> None:
    for condition in (statement, f"(1); {statement}", f"({statement})"):
        with pytest.raises(RunStops, match=r"no condition|nothing else"):
            rows_where(ROWS_HERE, condition.format(tmp_path / "made"))
    assert list(tmp_path.iterdir()) == []


def test_a_condition_that_takes_too_long_is_stopped() -> None:
    slow = "(SELECT count(*) FROM rows a, rows b, rows c, rows d, rows e, rows f) > 0"
    start = time.monotonic()
    with pytest.raises(RunStops, match=r"longer than 0\.2 s"):
        rows_where([row(number) for number in range(60)], slow, limit_s=0.2)
    assert time.monotonic() - start < 5


def test_a_condition_cannot_fill_the_memory() -> None:
    grown = "output"
    for _ in range(7):
        grown = f"replace({grown}, 'e', '{'e' * 60}')"
    with pytest.raises(RunStops, match="too big"):
        rows_where(ROWS_HERE, f"length({grown}) > 0")


@pytest.mark.parametrize("condition", ["source + ", "abs(source, 1, 2)", "json_extract(source, '$') = 1", "sourc = 1"])
def test_no_error_repeats_a_text_of_the_rows(condition: str) -> None:
    with pytest.raises(RunStops) as refused:
        rows_where(ROWS_HERE, condition)
    assert DOCUMENT not in str(refused.value)


@settings(max_examples=40)
@given(ROWS)
def test_every_row_can_be_held_against_a_condition_and_comes_back_as_it_is(rows: list[Example]) -> None:
    if rows:
        assert rows_where(rows, "TRUE") == rows
        assert rows_where(rows, f"topic >= {min(r.topic for r in rows)}") == rows


@settings(max_examples=300)
@given(st.text(st.sampled_from("()'\";-/*[]`,.=<> \nabid10%"), max_size=25))
def test_whatever_is_written_selects_rows_or_is_refused_in_one_sentence(condition: str) -> None:
    try:
        assert {*rows_where(ROWS_HERE, condition)} <= {*ROWS_HERE}
    except RunStops as refused:
        assert "--filter" in str(refused)


def test_functions_are_in_small_letters_as_they_are_looked_up() -> None:
    assert {name.lower() for name in FUNCTIONS} == {*FUNCTIONS}
