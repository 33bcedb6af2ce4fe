from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fanno_core.errors import RunStops
from fanno_core.export import split
from fanno_core.export.split import Missing, kind_of, missing_kinds, shares_of, split_rows
from fanno_core.store.contracts import Example
from tests.export.rows import SIZES, in_communities, row

SHARES = st.sampled_from(
    [
        {"train": 1.0},
        {"train": 0.95, "validation": 0.05},
        {"train": 0.5, "test": 0.5},
        {"test": 0.1, "train": 0.8, "validation": 0.1},
        {"a": 0.25, "b": 0.25, "c": 0.25, "d": 0.25},
    ]
)


def communities(rows: list[Example]) -> set[str]:
    return {row.community for row in rows}


@settings(max_examples=200)
@given(SIZES, SHARES, st.integers(0, 3))
def test_no_community_stands_on_two_sides_and_no_row_is_lost(
    sizes: list[int], shares: dict[str, float], seed: int
) -> None:
    rows = in_communities(sizes)
    if len(sizes) < len(shares):
        with pytest.raises(RunStops, match=f"{len(sizes)} communities .* {len(shares)} splits"):
            split_rows(rows, shares, seed)
        return
    splits = split_rows(rows, shares, seed)
    assert list(splits) == list(shares)
    assert sorted(row.id for part in splits.values() for row in part) == [row.id for row in rows]
    assert all(splits.values())
    assert all([row.id for row in part] == sorted(row.id for row in part) for part in splits.values())
    for one, other in combinations(splits.values(), 2):
        assert not communities(one) & communities(other)


@settings(max_examples=150)
@given(st.lists(st.integers(1, 9), min_size=2, max_size=9), st.sampled_from([0.05, 0.2, 0.4]), st.integers(0, 3))
def test_no_other_choice_of_communities_comes_nearer_to_the_share(sizes: list[int], share: float, seed: int) -> None:
    rows = in_communities(sizes)
    came = len(split_rows(rows, {"train": 1 - share, "validation": share}, seed)["validation"])
    wanted = round(share * len(rows))
    sums = {sum(some) for count in range(1, len(sizes)) for some in combinations(sizes, count)}
    assert abs(came - wanted) == min(abs(total - wanted) for total in sums)


@settings(max_examples=60)
@given(SIZES.filter(lambda sizes: len(sizes) > 1), st.integers(0, 3))
def test_splits_that_are_taken_as_they_come_are_near_their_share_too(sizes: list[int], seed: int) -> None:
    rows = in_communities(sizes)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(split, "EXACT_BELOW", 8)
        came = split_rows(rows, {"train": 0.6, "validation": 0.4}, seed)
    assert sum(map(len, came.values())) == len(rows)
    assert abs(len(came["validation"]) - 0.4 * len(rows)) <= max(sizes)


def test_the_same_seed_gives_the_same_split_whatever_the_order_of_rows_and_another_gives_another() -> None:
    rows = in_communities([3, 1, 1, 4, 1, 2, 2, 5, 1, 1] * 4)
    shares = {"train": 0.8, "validation": 0.2}
    first, again = split_rows(rows, shares, 1), split_rows(rows[::-1], shares, 1)
    assert {name: {row.id for row in part} for name, part in first.items()} == {
        name: {row.id for row in part} for name, part in again.items()
    }
    assert split_rows(rows, shares, 2) != first


def test_a_small_split_is_mixed_as_the_whole_is() -> None:
    rows = in_communities([5] * 40 + [1] * 200)
    part = split_rows(rows, {"train": 0.8, "validation": 0.2}, 0)["validation"]
    large = sum(1 for row in part if int(row.community[1:]) < 40)
    assert len(part) == 80
    assert 20 <= large <= 60


def with_seeds(seeds: list[int], augmented: list[int]) -> list[Example]:
    """Rows in communities of these sizes; those of the first ones are seeds."""
    sizes = [(size, 0) for size in seeds] + [(size, 1) for size in augmented]
    of = [(f"c{group}", iteration) for group, (size, iteration) in enumerate(sizes) for _ in range(size)]
    return [row(number, community, iteration=iteration) for number, (community, iteration) in enumerate(of)]


@pytest.mark.parametrize("seed", range(8))
def test_a_split_has_rows_of_each_kind_that_it_has_room_for(seed: int) -> None:
    rows = with_seeds([5, 20, 20], [1] * 75)
    splits = split_rows(rows, {"train": 0.92, "validation": 0.08}, seed)
    assert len(splits["validation"]) == round(0.08 * len(rows))
    assert {kind_of(row) for row in splits["validation"]} == {"seed", "augmented"}
    assert missing_kinds(splits) == []


def test_a_kind_that_a_split_has_no_room_for_is_told_with_the_share_that_has() -> None:
    rows = with_seeds([20, 30], [1] * 50)
    splits = split_rows(rows, {"train": 0.95, "validation": 0.05}, 0)
    assert missing_kinds(splits) == [Missing("validation", "seed", 0.2)]
    assert missing_kinds(split_rows(rows, {"train": 0.75, "validation": 0.25}, 0)) == []


def test_many_rows_are_halved_to_the_row() -> None:
    rows = in_communities([1] * 9_000 + [2] * 2_000 + [500] * 10)
    splits = split_rows(rows, {"train": 0.5, "validation": 0.5}, 0)
    assert {len(part) for part in splits.values()} == {9_000}


def test_shares_are_read() -> None:
    assert shares_of("train=0.95, validation=0.05") == {"train": 0.95, "validation": 0.05}
    assert shares_of("train=1") == {"train": 1.0}
    assert sum(shares_of("a=0.1,b=0.2,c=0.3,d=0.4").values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "name each split"),
        ("train", "has to be a number"),
        ("train=0.9", "add up to 0.9"),
        ("train=0.9,test=0.2", "add up to 1.1"),
        ("train=0.5,train=0.5", "once"),
        ("Train=0.5,train=0.5", "small letters"),
        ("../train=1", "small letters"),
        ("all=1", "name each split"),
        ("train=1,test=0", "above 0"),
        ("train=1.5,test=-0.5", "above 0"),
        ("train=nan,test=0.5", "above 0"),
        ("train=0.5;test=0.5", "has to be a number"),
    ],
)
def test_other_words_for_shares_are_refused(text: str, said: str) -> None:
    with pytest.raises(RunStops, match=said):
        shares_of(text)
