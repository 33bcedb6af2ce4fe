from __future__ import annotations

from random import Random
from typing import Literal

import pytest

from fanno_core.methods.mosaics.demands import Demand, drawn_demand, has_ties, sequence_of
from fanno_core.methods.mosaics.marks import table

QUESTIONS = ("bring milk now", "Ask", "apples, please do come", "ASK", "Zoo to")


@pytest.mark.parametrize(
    ("rule", "sequence"),
    [
        ("reverse", (5, 4, 3, 2, 1)),
        ("alphabetical", (3, 2, 4, 1, 5)),
        ("reverse_alphabetical", (5, 1, 2, 4, 3)),
        ("fewest_words", (2, 4, 5, 1, 3)),
        ("most_words", (3, 1, 5, 2, 4)),
        ("fewest_characters", (2, 4, 5, 1, 3)),
        ("most_characters", (3, 1, 5, 2, 4)),
        ("odd_even", (1, 3, 5, 2, 4)),
        ("even_odd", (2, 4, 1, 3, 5)),
    ],
)
def test_orders(rule: str, sequence: tuple[int, ...]) -> None:
    assert sequence_of(Demand("order", rule), QUESTIONS) == sequence


@pytest.mark.parametrize(
    ("demand", "sequence"),
    [
        (Demand("mask", "longest", count=2), (2, 4, 5)),
        (Demand("mask", "shortest", count=1), (1, 3, 4, 5)),
        (Demand("mask", "odd"), (2, 4)),
        (Demand("mask", "even"), (1, 3, 5)),
        (Demand("mask", "listed", (4, 1)), (2, 3, 5)),
        (Demand("mask", "listed", (9,)), ()),
        (Demand("mask", "longest", count=5), ()),
        (Demand("order", "listed", (1, 2)), ()),
    ],
)
def test_masks_and_what_cannot_be_met(demand: Demand, sequence: tuple[int, ...]) -> None:
    assert sequence_of(demand, QUESTIONS) == sequence


def test_a_drawn_demand_answers_at_least_one_and_a_mask_leaves_out_at_least_one() -> None:
    strategies: tuple[Literal["order", "mask"], ...] = ("order", "mask")
    for strategy in strategies:
        for rule in table()[strategy]:
            for size in (2, 3, 4, 5):
                for seed in range(20):
                    questions = QUESTIONS[:size]
                    demand = drawn_demand(strategy, rule, size, Random(seed))
                    found = sequence_of(demand, questions)
                    assert 1 <= len(found) <= size - (strategy == "mask"), (demand, found)


def test_ties_are_of_what_the_rule_sorts_by() -> None:
    assert has_ties(Demand("order", "alphabetical"), QUESTIONS)
    assert not has_ties(Demand("order", "alphabetical"), QUESTIONS[:3])
    assert not has_ties(Demand("order", "reverse"), ("same", "same"))


def test_there_are_as_many_rules_as_published() -> None:
    assert (len(table()["order"]), len(table()["mask"])) == (10, 5)
    assert (len(table()["numbers"]), len(table()["wrappers"]), len(table()["words"])) == (10, 27, 17)
    assert (len(table()["format"]["plain"]), len(table()["order"]["alphabetical"])) == (7, 8)
