from __future__ import annotations

from pathlib import Path

import pytest

from fanno_core.dataset.made import Made, open_made
from fanno_core.errors import RunStops
from fanno_core.lineage.explain import explain
from fanno_core.lineage.sample import AUGMENTED, sample_rejected, sample_rows


@pytest.fixture(scope="module")
def made(finished: Path) -> Made:
    return open_made(finished)


def test_rows_are_those_of_the_data_set(made: Made) -> None:
    examples = {row.id: row for row in made.examples()}
    for row in sample_rows(made, 7, seed=1):
        example = examples[row.id]
        assert (row.instruction, row.input, row.output) == (example.instruction, example.input, example.output)
        assert row.kept


def test_task_types_and_iterations_take_turns(made: Made) -> None:
    kinds = {(row.task_type or AUGMENTED, row.iteration) for row in made.examples()}
    rows = sample_rows(made, len(kinds), seed=1)
    assert {(row.task_type, row.iteration) for row in rows} == kinds


def test_reasons_take_turns(made: Made) -> None:
    kinds = {(row.phase, row.reason) for row in made.rejections()}
    rows = sample_rejected(made, len(kinds), seed=1)
    assert {(row.phase, row.reason) for row in rows} == kinds
    assert not any(row.kept for row in rows)


def test_the_seed_decides(made: Made) -> None:
    assert sample_rows(made, 9, seed=4) == sample_rows(made, 9, seed=4)
    assert sample_rows(made, 9, seed=4) != sample_rows(made, 9, seed=5)
    assert sample_rejected(made, 9, seed=4) == sample_rejected(made, 9, seed=4)
    assert sample_rejected(made, 9, seed=4) != sample_rejected(made, 9, seed=5)


def test_no_row_comes_twice_and_a_large_sample_is_all(made: Made) -> None:
    rows = sample_rows(made, 10_000, seed=0)
    assert sorted(row.id for row in rows) == [row.id for row in made.examples()]
    assert len(sample_rejected(made, 10_000, seed=0)) == len(made.rejections())


def test_task_type_and_reason_choose(made: Made) -> None:
    assert {row.task_type for row in sample_rows(made, 5, 0, "mathematics")} == {"mathematics"}
    augmented = sample_rows(made, 5, 0, AUGMENTED)
    assert all(row.iteration > 0 for row in augmented)
    assert {row.reason for row in sample_rejected(made, 5, 0, "low_quality")} == {"low_quality"}


def test_an_unknown_task_type_or_reason_names_those_there_are(made: Made) -> None:
    with pytest.raises(RunStops, match=r"no row .* the task type maths: there are augmented, .*mathematics"):
        sample_rows(made, 5, 0, "maths")
    with pytest.raises(RunStops, match=r"the reason that: there are .*low_quality"):
        sample_rejected(made, 5, 0, "no such reason\n")


async def test_what_is_sampled_can_be_explained(made: Made) -> None:
    (row,) = sample_rejected(made, 1, seed=2)
    assert (await explain(made, row.id)).fate.reason == row.reason
