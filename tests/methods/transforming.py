"""Rows to transform without a teacher, and the tools that such methods get."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fanno_core.methods.contract import Origin
from fanno_core.methods.rows import made_row
from fanno_core.store.contracts import Example, Floats
from fanno_core.teachers.extractive.teacher import ExtractiveTeacher
from fanno_core.tools import Tools
from tests.shared_data import shared_rows


def row_of(name: str, instruction: str, given: str, output: str) -> Example:
    """A row of a file, with an id of our own."""
    return replace(made_row(Origin("file"), instruction, given, output), id=name)


def dolly(most: int = 1000) -> list[Example]:
    """The first rows of the Dolly sample."""
    rows = shared_rows("dolly_filtered_1000.jsonl")[:most]
    return [row_of(row["id"], row["instruction"], row["input"], row["output"]) for row in rows]


def tools(seed: int = 0) -> Tools:
    """The extractive teacher, who counts tokens as words and marks; nothing else is there to use."""

    def nothing(_: object) -> Floats:
        raise AssertionError("this method encodes and scores nothing")

    return Tools(ExtractiveTeacher(), nothing, nothing, seed)  # type: ignore[arg-type]


def places(rows: Sequence[Example]) -> dict[str, Example]:
    """The rows by their ids."""
    return {row.id: row for row in rows}
