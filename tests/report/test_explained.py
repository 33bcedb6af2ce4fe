"""What the report explains in full, and how its page packs that."""

from __future__ import annotations

import base64
import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fanno_core.dataset.made import Made, open_made
from fanno_core.lineage.explanation import Explanation
from fanno_core.report.explained import evenly, explained
from fanno_core.report.measures.funnel import funnel_of
from fanno_core.report.numbers import Numbers
from fanno_core.report.page.explanations import BLOCK, DIGITS, TEXTS, Blocks, packed_explanations
from fanno_core.report.table import report_rows
from tests.report.numbers import empty_numbers, explanation


def with_rows(out: Path, most: int) -> tuple[Made, Numbers]:
    """A finished run whose report explains so many rows, and its numbers as far as they count here."""
    made = open_made(out)
    settings = made.record["settings"] | {"report": made.record["settings"]["report"] | {"explained_rows": most}}
    made = Made(made.out, {**made.record, "settings": settings})
    return made, replace(empty_numbers(), funnel=funnel_of(made))


@pytest.mark.parametrize(
    ("count", "most", "chosen"), [(10, 5, [0, 2, 4, 6, 8]), (10, 3, [0, 3, 6]), (2, 5, [0, 1]), (5, 0, []), (0, 3, [])]
)
def test_rows_are_chosen_evenly(count: int, most: int, chosen: list[int]) -> None:
    assert evenly(range(count), most) == chosen


async def test_rejected_examples_and_so_many_rows_are_explained(finished: Path) -> None:
    made, numbers = with_rows(finished, 7)
    rows = report_rows(made)
    told = await explained(made, numbers, rows)
    shown = {row.id for phase in numbers.funnel for rows in phase.examples.values() for row in rows}
    assert {each.id for each in told if not each.fate.kept} == shown
    assert [each.id for each in told if each.fate.kept] == [row.id for row in evenly(rows, 7)]
    assert {each.kind for each in told} == {"row", "document"}


async def test_none_means_none(finished: Path) -> None:
    made, numbers = with_rows(finished, 0)
    assert await explained(made, numbers, report_rows(made)) == []


def unpacked(packed: str) -> Any:
    return json.loads(gzip.decompress(base64.b64decode(packed)))


def whole(value: Any, texts: list[str]) -> Any:
    """What the page makes of a packed value."""
    if isinstance(value, dict) and value.keys() == {"pieces"}:
        return "".join(texts[piece] if isinstance(piece, int) else piece for piece in value["pieces"])
    if isinstance(value, dict):
        return {name: whole(each, texts) for name, each in value.items()}
    return [whole(each, texts) for each in value] if isinstance(value, list) else value


def plain(value: Any) -> Any:
    """An explanation as JSON has it, scores as they are shown."""
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list | tuple) else value


def texts_of(blocks: Blocks) -> list[str]:
    return [text for chunk in blocks.texts for text in unpacked(chunk)]


def test_explanations_come_out_as_they_went_in() -> None:
    told = [explanation(number) for number in range(BLOCK * 5)]
    blocks = packed_explanations(told)
    texts = texts_of(blocks)
    made = {name: each for block in blocks.explanations for name, each in unpacked(block.packed).items()}
    assert {name: whole(each, texts) for name, each in made.items()} == {
        each.id: plain(each.to_json()) for each in told
    }
    assert [name for block in blocks.explanations for name in block.ids] == [each.id for each in told]
    assert all(len(unpacked(chunk)) == TEXTS for chunk in blocks.texts[:-1])
    assert packed_explanations(told) == blocks


def test_a_document_is_packed_once() -> None:
    told = [explanation(number) for number in range(4)]
    blocks = packed_explanations(told)
    documents = {shown.text for each in told for shown in each.retrieved} | {
        each.document.text for each in told if each.document
    }
    texts = texts_of(blocks)
    assert len(texts) == len(documents) and set(texts) == documents
    packed = json.dumps([unpacked(block.packed) for block in blocks.explanations])
    assert not [text for text in documents if json.dumps(text)[1:-1] in packed]


def test_a_document_that_stands_in_another_one_does_no_harm() -> None:
    told = explanation(1)
    assert told.document
    inner = told.document.text[5:40]
    nested: Explanation = replace(told, retrieved=(replace(told.retrieved[0], text=inner), *told.retrieved))
    blocks = packed_explanations([nested])
    (block,) = blocks.explanations
    assert whole(unpacked(block.packed)[told.id], texts_of(blocks)) == plain(nested.to_json())


def test_no_explanations_leave_nothing() -> None:
    assert packed_explanations([]) == Blocks((), ())
