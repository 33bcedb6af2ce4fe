from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fanno_core.methods.ruler import RULER, RulerOptions, change, required, verify_row
from fanno_core.methods.rules.reading import read_requirements
from fanno_core.methods.rules.rule import Text
from fanno_core.methods.rules.table import RULES
from fanno_core.outcome import Outcome
from fanno_core.store.contracts import Example, question_of
from tests.methods.transforming import dolly, places, row_of, tools

TEXTS = st.text('abcAB .,!\n-*1é"<>#', min_size=1, max_size=80)


def checked(outcome: Outcome[Example], rows: list[Example], options: RulerOptions) -> Counter[str]:
    """Every row keeps what it requires and is its parent with requirements; how often each rule is there."""
    by_id = places(rows)
    used: Counter[str] = Counter()
    for row in outcome.kept:
        if row.method != "ruler":
            assert row == by_id[row.id]
            continue
        requirements, question = read_requirements(row.instruction)
        assert verify_row(row) == []
        assert 1 <= len(requirements) <= options.most_rules
        assert question == question_of(by_id[row.made_from[0]]).strip()
        assert row.input == ""
        used.update(requirement.rule.name for requirement in requirements)
    assert len({row.id for row in outcome.kept}) == len(outcome.kept)
    assert outcome.rejected == []
    return used


async def test_no_requirement_on_real_rows_is_false() -> None:
    rows = dolly(100)
    used: Counter[str] = Counter()
    for seed in (0, 1):
        used += checked(await change(rows, tools(seed), RulerOptions()), rows, RulerOptions())
    assert len(used) >= 25  # all but perhaps one of the two about bullet points


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
async def test_no_requirement_on_any_real_row_is_false(seed: int) -> None:
    rows = dolly()
    outcome = await change(rows, tools(seed), RulerOptions())
    assert set(checked(outcome, rows, RulerOptions())) == set(RULES)
    made = sum(row.method == "ruler" for row in outcome.kept)
    assert 0.88 < made / (2 * len(rows)) < 0.92


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=5), st.integers(0, 99))
async def test_no_requirement_on_any_row_is_false(texts: list[tuple[str, str]], seed: int) -> None:
    rows = [row_of(f"r{place}", question, "", output) for place, (question, output) in enumerate(texts)]
    options = RulerOptions(augment_rate=1, most_rules=8)
    checked(await change(rows, tools(seed), options), rows, options)


async def test_code_and_rows_with_requirements_stay_as_they_are() -> None:
    rows = [
        row_of("code", "Double x.", "", "def double(x):\n    return 2 * x"),
        row_of("asked", "Ensure that the response has exactly 9 words.\nSay it.", "", "It is said."),
    ]
    outcome = await change(rows, tools(), RulerOptions(augment_rate=1, passes=3))
    assert list(outcome.kept) == rows


async def test_every_pass_has_requirements_of_its_own() -> None:
    rows = [row_of("r", "Name two pets.", "Of any size.", "Cats and dogs, as everybody knows.")]
    outcome = await change(rows, tools(), RulerOptions(augment_rate=1, passes=5))
    assert [row.iteration for row in outcome.kept] == [1, 2, 3, 4, 5]
    assert len({row.instruction for row in outcome.kept}) == 5
    assert all("Name two pets.\nOf any size." in row.instruction for row in outcome.kept)


async def test_a_row_keeps_what_is_known_of_its_document() -> None:
    row = row_of("r", "Name two pets.", "", "Cats and dogs, as everybody knows.")
    row = replace(row, document_id="d", source="pets.txt", licence="CC0-1.0", community="c1", topic=3)
    outcome = await change([row], tools(), RulerOptions(augment_rate=1))
    assert [made.method for made in outcome.kept] == ["ruler", "ruler"]
    for made in outcome.kept:
        known = (made.document_id, made.source, made.licence, made.community, made.topic)
        assert known == ("d", "pets.txt", "CC0-1.0", "c1", 3)


@pytest.mark.parametrize(("rate", "made"), [(0.0, 0), (1.0, 60)])
async def test_the_rate_is_kept(rate: float, made: int) -> None:
    rows = [row_of(f"r{n}", f"Say {n}.", "", f"It is {n}, as asked.") for n in range(30)]
    outcome = await change(rows, tools(), RulerOptions(augment_rate=rate))
    assert sum(row.method == "ruler" for row in outcome.kept) == made
    assert len(outcome.kept) == (made or 30)


async def test_a_row_is_changed_alike_in_whatever_company_it_comes() -> None:
    rows = [row_of(f"r{n}", f"Say {n}.", "", f"It is {n}, as asked. There.") for n in range(20)]
    alone = [row for one in rows for row in (await change([one], tools(3), RulerOptions())).kept]
    together = (await change(rows[::-1], tools(3), RulerOptions())).kept
    assert sorted(alone, key=str) == sorted(together, key=str)
    assert sorted((await change(rows, tools(4), RulerOptions())).kept, key=str) != sorted(alone, key=str)


def test_rules_that_would_break_another_are_left_out() -> None:
    text = Text("Name pets.", "Cats, dogs. And fish.")
    for seed in range(300):
        found, requirements = required(text, 26, Random(seed))
        names = {requirement.rule.name for requirement in requirements}
        assert len(names) == len(requirements) > 0
        assert not {"case_lower", "case_upper"} <= names
        assert not {"repeat_instruction", "wrap_instruction"} <= names
        assert all(requirement.holds(found) for requirement in requirements)


async def test_a_changed_response_is_found_out() -> None:
    rows = [row_of(f"r{n}", f"Say {n}.", "", f"It is {n}, as asked. There.") for n in range(40)]
    outcome = await change(rows, tools(), RulerOptions(augment_rate=1))
    blank = [verify_row(replace(row, output="")) for row in outcome.kept]
    # An empty response has fewer words than any number, and no word too often.
    assert sum(map(bool, blank)) > 0.8 * len(blank)


def test_it_asks_nobody() -> None:
    assert (RULER.name, RULER.whole, RULER.prompts, RULER.calls(RulerOptions())) == ("ruler", False, (), 0)
