"""Which instructions may be shown where documents may not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fanno_core.dataset.made import open_made
from fanno_core.lineage.unquoted import quotes, unquoted_rows

DOCUMENT = (
    "The harbour of Quillhaven froze over in the winter of the great comet. Nobody had salted the piers!\n\n"
    "Be careful. Boats stayed where they were until the ice let go of them in March."
)


@pytest.mark.parametrize(
    "text",
    [
        "Explain why 'the harbour of Quillhaven froze over in the winter'.",
        "EXPLAIN: the harbour, of quillhaven -- froze over in the winter",
        "What follows from this: nobody had salted the piers?",
    ],
)
def test_what_quotes_a_document(text: str) -> None:
    assert quotes(text, DOCUMENT)


@pytest.mark.parametrize(
    "text",
    [
        "Why did the harbour of Quillhaven freeze over in winter?",
        "When should one be careful with boats on ice?",
        "Nobody had salted the roads; what could happen on the piers?",
        "",
    ],
)
def test_what_does_not(text: str) -> None:
    assert not quotes(text, DOCUMENT)


def test_as_many_rows_as_are_asked_for_and_always_the_same(finished: Path) -> None:
    made = open_made(finished)
    rows = unquoted_rows(made, 5, seed=1)
    assert len({row.id for row in rows}) == 5
    assert unquoted_rows(made, 5, seed=1) == rows
    assert unquoted_rows(made, 5, seed=2) != rows
    assert unquoted_rows(made, 0, seed=1) == []


def test_a_row_whose_document_nobody_knows_is_not_shown(finished: Path) -> None:
    made = open_made(finished)
    without = replace(made, record={**made.record, "work": {**made.record["work"], "verdicts": []}})
    assert without.examples()
    assert unquoted_rows(without, 5, seed=1) == []
