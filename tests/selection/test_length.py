"""The longest and the shortest rows."""

from __future__ import annotations

from typing import Any

import pytest

from fanno_core.selection.contract import keep_of
from fanno_core.selection.length import LengthOptions, choose, score
from tests.selection.rows import Judge, reasons_of, row_of, tools_with

ROWS = [
    row_of("Say one.", "a b"),
    row_of("Say two things now.", "a b c d", "with this input"),
    row_of("Say.", ""),
    row_of("Say four.", "d c b a"),
]


async def places(keep: str, **options: Any) -> list[int]:
    how = LengthOptions(**options)
    found = choose(ROWS, await score(ROWS, tools_with(Judge(str)), how), keep_of(keep), tools_with(), how)
    assert sorted([*found.places, *found.others]) == [0, 1, 2, 3]
    assert {*reasons_of(found).values()} <= {"not_selected"}
    return list(found.places)


@pytest.mark.parametrize("unit", ["tokens", "words"])
async def test_the_longest_come_first_and_equal_ones_in_their_order(unit: str) -> None:
    assert await places("3", unit=unit) == [1, 3, 0]
    assert await places("50%", unit=unit) == [1, 3]
    assert await places("3", unit=unit, order="shortest") == [2, 0, 1]


async def test_other_fields_are_measured() -> None:
    assert await places("1", field="instruction") == [1]
    assert await places("1", field="instruction", order="shortest") == [2]
    assert await places("2", field="both") == [1, 3]


async def test_a_smallest_length_keeps_the_order_of_the_rows() -> None:
    assert await places(">=2") == [0, 1, 3]


async def test_tokens_are_the_teachers_own() -> None:
    found = await score([row_of("Say it.", "well, well")], tools_with(), LengthOptions())
    assert (found[0].by, found[0].score) == ("output_tokens", 3.0)  # the extractive teacher counts the comma
