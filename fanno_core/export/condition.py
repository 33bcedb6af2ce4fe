"""Rows that fit a condition in SQL, evaluated by SQLite in memory: it can read their columns, and do nothing else."""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import fields
from difflib import get_close_matches
from itertools import accumulate
from typing import get_type_hints

from fanno_core.errors import RunStops
from fanno_core.store.contracts import Example

COLUMNS = tuple(field.name for field in fields(Example))
TABLE = "rows"
TYPES = {str: "TEXT", int: "INTEGER", float: "REAL", tuple[str, ...]: "TEXT"}
"""Lists are JSON texts, for `json_each` and `json_array_length`."""

FUNCTIONS = {
    "abs", "avg", "coalesce", "count", "glob", "ifnull", "iif", "instr", "json_array_length", "json_each",
    "json_extract", "length", "like", "lower", "ltrim", "max", "min", "nullif", "replace", "round", "rtrim", "substr",
    "substring", "sum", "trim", "typeof", "upper", "->", "->>",
}  # fmt: skip
"""None of them reads a file, and all give the same for the same rows."""

READABLE = {TABLE, "json_each"}
TIME_LIMIT_S = 20.0
STEPS_A_LOOK = 10_000
MOST_BYTES = 2**26
"""Of one value; what a condition could build, such as with `replace`, stays below it."""
LONGEST_PATTERN = 200
"""LIKE takes a time that grows with the power of a pattern's wildcards, and cannot be interrupted."""

TEXTS = re.compile(r"'(?:[^']|'')*'")
QUOTED = re.compile(r'"([^"]*)"')
COMMENT = re.compile(r"--|/[*]")
NO_COLUMN = re.compile(r"no such column: (.+)")


def rows_where(rows: Sequence[Example], condition: str, limit_s: float = TIME_LIMIT_S) -> list[Example]:
    """The rows that fit the condition, in their order.

    Args:
        rows: the rows; each field is a column, a list one of JSON text.
        condition: an SQL expression, such as `output_tokens < 300 AND task_type = 'reasoning'`.
        limit_s: longest time that it may take, in seconds.

    Raises:
        RunStops: it is no condition, names another column or function, does more than read, takes too long, or no row
            fits it.
    """
    _refuse_what_is_no_expression(condition)
    with closing(sqlite3.connect(":memory:")) as database:
        _fill(database, rows)
        database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST_BYTES)
        database.setlimit(sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, LONGEST_PATTERN)
        database.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        deadline = time.monotonic() + limit_s
        database.set_progress_handler(lambda: time.monotonic() > deadline, STEPS_A_LOOK)
        database.set_authorizer(_permit)
        try:
            found = database.execute(f"SELECT number FROM {TABLE} WHERE ({condition}) ORDER BY number").fetchall()  # noqa: S608
        except (sqlite3.Error, sqlite3.Warning, ValueError) as error:
            raise RunStops(_told(str(error), limit_s)) from None
    if not found:
        raise RunStops(f"none of the {len(rows):,} rows fits --filter; ask for less")
    return [rows[number] for (number,) in found]


def _fill(database: sqlite3.Connection, rows: Sequence[Example]) -> None:
    # SQLite declares it when it is first used, which the authoriser would not permit.
    database.execute("SELECT 1 FROM json_each('[]')")
    hints = get_type_hints(Example)
    columns = ", ".join(f'"{name}" {TYPES[hints[name]]} NOT NULL' for name in COLUMNS)
    database.execute(f"CREATE TABLE {TABLE} (number INTEGER PRIMARY KEY, {columns})")
    lists = {name for name in COLUMNS if hints[name] == tuple[str, ...]}
    places = ", ".join("?" * (1 + len(COLUMNS)))
    database.executemany(
        f"INSERT INTO {TABLE} VALUES ({places})",  # noqa: S608 - placeholders alone
        (
            [number, *(_json(getattr(row, name)) if name in lists else getattr(row, name) for name in COLUMNS)]
            for number, row in enumerate(rows)
        ),
    )


def _json(values: tuple[str, ...]) -> str:
    return json.dumps(values, ensure_ascii=False)


def _permit(action: int, first: str | None, second: str | None, _database: str | None, _trigger: str | None) -> int:
    permitted = (
        action == sqlite3.SQLITE_SELECT
        or (action == sqlite3.SQLITE_READ and first in READABLE)
        or (action == sqlite3.SQLITE_FUNCTION and (second or "").lower() in FUNCTIONS)
    )
    return sqlite3.SQLITE_OK if permitted else sqlite3.SQLITE_DENY


def _refuse_what_is_no_expression(condition: str) -> None:
    """Refuses what would end the brackets that the condition stands in, and texts in double quotes.

    SQLite takes a name in double quotes that is no column for a text, so that a slip would hold for no row.
    """
    plain = TEXTS.sub("", condition)
    for name in QUOTED.findall(plain):
        if name not in COLUMNS:
            raise RunStops(f"""--filter holds "{name}", which is no column; write texts in single quotes""")
    plain = QUOTED.sub("", plain)
    open_brackets = accumulate((sign == "(") - (sign == ")") for sign in plain)
    if COMMENT.search(plain) or min(open_brackets, default=0) < 0:
        raise RunStops("--filter is one expression without comments, each bracket opened before it is closed")


def _told(error: str, limit_s: float) -> str:
    if missing := NO_COLUMN.match(error):
        near = get_close_matches(missing[1], COLUMNS, 1)
        hint = f"did you mean {near[0]}" if near else f"there are {', '.join(COLUMNS)}"
        return f"--filter names {missing[1]}, which is no column of the rows; {hint}"
    if error == "interrupted":
        return f"--filter took longer than {limit_s:g} s and was stopped; write a simpler condition"
    if "authorized" in error or "prohibited" in error:
        names = ", ".join(sorted(FUNCTIONS))
        return f"--filter may read the columns of the rows and use these functions, nothing else: {names}"
    return f"--filter is no condition that SQLite can read ({error}); write it as output_tokens < 300"
