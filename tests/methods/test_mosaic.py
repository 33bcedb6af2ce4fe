from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fanno_core.methods.mosaic import MOSAIC, Distribution, MosaicOptions, change, parse_mosaic, violations
from fanno_core.outcome import Outcome
from fanno_core.store.contracts import Example
from tests.methods.transforming import dolly, places, row_of, tools

TEXTS = st.text("ab1. ()\n#:<>", min_size=1, max_size=24)
LONG = "word " * 300


def few(count: int) -> list[Example]:
    """Rows of different lengths with lists in them."""
    return [
        row_of(f"r{n}", f"Question {n}?", "1. one\n2. two" if n % 3 == 0 else "", f"Answer {n}.\n\n1. that" + " is" * n)
        for n in range(count)
    ]


def checked(outcome: Outcome[Example], rows: list[Example], options: MosaicOptions) -> None:
    """Every mosaic reads as it should, is short enough, and every row that fits is in one of each pass."""
    by_id = places(rows)
    assert [(row.id, found) for row in outcome.kept if (found := violations(row, by_id))] == []
    sums = [sum(tools().teacher.count_tokens([row.instruction, row.output])) for row in outcome.kept]
    assert all(tokens < options.max_tokens for tokens in sums)
    fitting = set(by_id) - {row.id for row in outcome.rejected}
    for epoch in range(1, options.epochs + 1):
        used = Counter(parent for row in outcome.kept if row.iteration == epoch for parent in row.made_from)
        assert used == dict.fromkeys(fitting, 1)
    assert len({row.id for row in outcome.kept}) == len(outcome.kept)


async def test_every_mosaic_of_real_rows_is_read_back() -> None:
    rows = dolly(100)
    for seed in (0, 1):
        outcome = await change(rows, tools(seed), MosaicOptions())
        checked(outcome, rows, MosaicOptions())
        assert outcome.rejected == []
        strategies = Counter(read.strategy for row in outcome.kept if (read := parse_mosaic(row)))
        assert min(strategies[name] for name in ("format", "order", "mask")) > 10


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
async def test_every_mosaic_of_all_real_rows_is_read_back(seed: int) -> None:
    rows = dolly()
    checked(await change(rows, tools(seed), MosaicOptions()), rows, MosaicOptions())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=7), st.integers(0, 9))
async def test_rows_that_look_like_marks_are_read_back_or_rejected(texts: list[tuple[str, str]], seed: int) -> None:
    rows = [row_of(f"r{place}", question, "", answer) for place, (question, answer) in enumerate(texts)]
    options = MosaicOptions(epochs=1)
    outcome = await change(rows, tools(seed), options)
    checked(outcome, rows, options)
    assert set(outcome.reasons) <= {"ambiguous"}


async def test_mosaics_of_mosaics_are_read_back() -> None:
    rows = list((await change(few(30), tools(3), MosaicOptions(epochs=1, most=4))).kept)
    options = MosaicOptions(epochs=2)
    checked(await change(rows, tools(4), options), rows, options)


@pytest.mark.parametrize("distribution", get_args(Distribution))
async def test_each_distribution_keeps_to_its_bounds(distribution: Distribution) -> None:
    rows, options = few(60), MosaicOptions(distribution=distribution, epochs=1, most=6, max_tokens=400)
    outcome = await change(rows, tools(5), options)
    checked(outcome, rows, options)
    sizes = [len(row.made_from) for row in outcome.kept]
    assert max(sizes) > 6 if distribution == "max_length" else max(sizes) <= 6
    if distribution == "fix":
        assert sizes.count(6) >= len(sizes) // 2


@pytest.mark.parametrize(
    ("strategies", "found"),
    [("format", {"format"}), ("order", {"format", "order"}), ("mask", {"format", "mask"})],
)
async def test_only_the_strategies_that_were_asked_for(strategies: str, found: set[str]) -> None:
    options = MosaicOptions.model_validate({"strategies": strategies})
    outcome = await change(few(40), tools(), options)
    assert {read.strategy for row in outcome.kept if (read := parse_mosaic(row))} == found


async def test_tags_are_drawn_as_often_as_asked_for() -> None:
    for probability, tagged in ((0.0, False), (1.0, True)):
        outcome = await change(few(40), tools(), MosaicOptions(tag_probability=probability))
        assert {read.tags is not None for row in outcome.kept if (read := parse_mosaic(row))} == {tagged}


async def test_a_row_that_does_not_fit_alone_is_rejected_once() -> None:
    rows = [*few(5), row_of("long", "Go on.", "", LONG)]
    outcome = await change(rows, tools(), MosaicOptions(max_tokens=200))
    checked(outcome, rows, MosaicOptions(max_tokens=200))
    assert [(row.id, row.reason, row.detail) for row in outcome.rejected] == [("long", "too_long", "303 tokens")]


async def test_a_row_that_just_fits_is_used_without_marks() -> None:
    row = row_of("long", "Go on.", "", LONG)
    assert (await change([row], tools(), MosaicOptions(max_tokens=303))).reasons == {"too_long": 1}
    outcome = await change([row], tools(), MosaicOptions(max_tokens=304, epochs=1))
    assert [(made.instruction, made.output) for made in outcome.kept] == [("Go on.", LONG.strip())]


async def test_the_order_in_which_rows_come_changes_nothing() -> None:
    rows = few(30)
    one, other = [await change(given, tools(7), MosaicOptions()) for given in (rows, rows[::-1])]
    assert one == other
    assert (await change(rows, tools(8), MosaicOptions())).kept != one.kept


async def test_a_mosaic_names_its_rows_and_what_they_have_in_common() -> None:
    rows = [replace(row, licence="CC0-1.0", source=f"s{place % 2}") for place, row in enumerate(few(30))]
    outcome = await change(rows, tools(), MosaicOptions())
    assert {(row.method, row.licence, row.task_type) for row in outcome.kept} == {("mosaic", "CC0-1.0", "")}
    assert {row.source for row in outcome.kept} == {"", "s0", "s1"}


async def test_a_changed_mosaic_is_found_out() -> None:
    rows = few(40)
    by_id = places(rows)
    outcome = await change(rows, tools(2), MosaicOptions())
    made = next(row for row in outcome.kept if (read := parse_mosaic(row)) and read.numbering and len(read.answers) > 2)
    assert violations(replace(made, output=made.output.replace("Answer", "answer")), by_id)
    assert violations(replace(made, made_from=made.made_from[::-1]), by_id)
    assert violations(replace(made, output="nothing"), by_id) == ["it cannot be read back"]


def test_it_wants_all_rows_and_asks_nobody() -> None:
    assert (MOSAIC.name, MOSAIC.whole, MOSAIC.prompts, MOSAIC.calls(MosaicOptions())) == ("mosaic", True, (), 0)
