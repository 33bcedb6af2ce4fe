from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fanno_core.instructions import novelty
from fanno_core.instructions.novelty import NO_NEIGHBOUR, keep_novel
from fanno_core.outcome import Outcome
from fanno_core.store.contracts import Floats, Instruction, Vector

DIMENSIONS = 4
# Unit vectors whose cosines, 0.5 and 0, hold no rounding.
AXIS = np.array([1, 0, 0, 0], np.float32)
HALF = np.array([0.5, 0.5, 0.5, 0.5], np.float32)
ACROSS = np.array([0, 0, 0.6, -0.8], np.float32)
NOTHING = np.zeros((0, DIMENSIONS), np.float32)
JUST_ABOVE_HALF = float(np.nextafter(np.float32(0.5), np.float32(1)))


def instruction(name: str, answerable: float = 0.8) -> Instruction:
    return Instruction(
        id=name,
        instruction=f"Explain {name}.",
        input="",
        document_id=f"document of {name}",
        source="here",
        licence="",
        community="c",
        topic=0,
        iteration=1,
        characteristic="",
        task_type="",
        form="imperative",
        answerable=answerable,
    )


def unit_vectors(rng: np.random.Generator, count: int) -> Floats:
    vectors = rng.standard_normal((count, DIMENSIONS)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def kept_in_blocks(
    block: int, rows: Sequence[Instruction], vectors: Floats, pool: Floats, threshold: float
) -> Outcome[Instruction]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(novelty, "BLOCK", block)
        return keep_novel(rows, vectors, pool, threshold, "novelty")


def one_after_the_other(
    rows: Sequence[Instruction], vectors: Floats, pool: Floats, threshold: float
) -> dict[str, float]:
    """Kept ids and their similarity, by comparing each candidate with everything kept before it."""
    known = [vector.astype(np.float64) for vector in pool]
    kept: dict[str, float] = {}
    for place in sorted(range(len(rows)), key=lambda place: (-rows[place].answerable, rows[place].id)):
        vector = vectors[place].astype(np.float64)
        nearest = max((float(vector @ other) for other in known), default=NO_NEIGHBOUR)
        assume(abs(nearest - threshold) > 1e-5)  # there rounding decides
        if nearest < threshold:
            kept[rows[place].id] = nearest
            known.append(vector)
    return kept


@given(
    seed=st.integers(0, 2**32),
    ratings=st.lists(st.sampled_from([0.5, 0.75, 1.0]), max_size=40),
    known=st.integers(0, 12),
    block=st.sampled_from([1, 2, 7, 512]),
    threshold=st.sampled_from([-0.5, 0.0, 0.6, 0.9]),
    shuffler=st.randoms(use_true_random=False),
)
def test_equals_comparing_with_everything_kept_before_in_any_order(
    seed: int, ratings: list[float], known: int, block: int, threshold: float, shuffler
) -> None:
    rng = np.random.default_rng(seed)
    rows = [instruction(f"i{place:02d}", rating) for place, rating in enumerate(ratings)]
    vectors, pool = unit_vectors(rng, len(rows)), unit_vectors(rng, known)
    expected = one_after_the_other(rows, vectors, pool, threshold)
    order = shuffler.sample(range(len(rows)), len(rows))

    outcome = kept_in_blocks(block, [rows[place] for place in order], vectors[order], pool, threshold)

    assert [row.id for row in outcome.kept] == list(expected)
    assert [row.similarity for row in outcome.kept] == pytest.approx(list(expected.values()), abs=2e-6)
    assert {row.id for row in outcome.rejected} == {row.id for row in rows} - set(expected)
    assert outcome.reasons in ({}, {"not_novel": len(rows) - len(expected)})
    contract, made = outcome.extras["vectors"]
    assert contract is Vector
    assert [row.id for row in made] == list(expected)
    places = {row.id: place for place, row in enumerate(rows)}
    assert all((row.vector == vectors[places[row.id]]).all() for row in made)


@pytest.mark.parametrize("block", [1, 512])
@pytest.mark.parametrize(("threshold", "stays"), [(0.5, False), (JUST_ABOVE_HALF, True)])
def test_a_cosine_equal_to_the_threshold_is_not_novel(block: int, threshold: float, stays: bool) -> None:
    rows = [instruction("first", 0.9), instruction("second", 0.6)]
    outcome = kept_in_blocks(block, rows, np.stack([AXIS, HALF]), NOTHING, threshold)
    assert [row.id for row in outcome.kept] == (["first", "second"] if stays else ["first"])
    against_pool = kept_in_blocks(block, [instruction("second")], HALF[None], AXIS[None], threshold)
    assert bool(against_pool.kept) is stays


@pytest.mark.parametrize("block", [1, 2, 512])
@pytest.mark.parametrize("best", [0, 1, 2])
def test_of_near_equal_instructions_the_most_answerable_stays(block: int, best: int) -> None:
    rows = [instruction(f"i{place}", 0.9 if place == best else 0.6) for place in range(3)]
    outcome = kept_in_blocks(block, rows, np.stack([AXIS] * 3), NOTHING, 0.9)
    assert [row.id for row in outcome.kept] == [f"i{best}"]
    assert [row.phase for row in outcome.rejected] == ["novelty"] * 2
    assert [row.detail for row in outcome.rejected] == ["cosine 1.000"] * 2


def test_what_was_dropped_drops_nothing() -> None:
    # HALF is near the pool's AXIS and goes; `near_half` is near HALF alone, and stays.
    near_half = np.array([0, 0.6, 0.8, 0], np.float32)
    rows = [instruction("near the pool", 0.9), instruction("near the dropped", 0.6)]
    outcome = keep_novel(rows, np.stack([HALF, near_half]), AXIS[None], 0.5, "novelty")
    assert [row.id for row in outcome.kept] == ["near the dropped"]
    assert outcome.kept[0].similarity == 0


def test_the_first_of_all_has_no_neighbour_and_no_candidates_give_nothing() -> None:
    first = keep_novel([instruction("first")], AXIS[None], NOTHING, 0.9, "novelty")
    assert first.kept[0].similarity == NO_NEIGHBOUR
    for vectors in (NOTHING, np.zeros((0, 0), np.float32)):
        nothing = keep_novel([], vectors, np.stack([AXIS, ACROSS]), 0.9, "novelty")
        assert (nothing.kept, nothing.rejected, nothing.candidates) == ([], [], 0)
        assert nothing.extras["vectors"] == (Vector, [])


def test_a_block_all_of_which_is_dropped_does_not_end_the_search() -> None:
    rows = [instruction(f"i{place}", 0.9 - place / 10) for place in range(4)]
    outcome = kept_in_blocks(2, rows, np.stack([AXIS, AXIS, ACROSS, AXIS]), AXIS[None], 0.9)
    assert [row.id for row in outcome.kept] == ["i2"]


@pytest.mark.parametrize("block", [1, 512])
def test_at_threshold_1_the_same_instruction_is_still_not_novel(block: int) -> None:
    vectors = unit_vectors(np.random.default_rng(0), 50)
    rows = [instruction(f"i{place:03d}") for place in range(100)]
    outcome = kept_in_blocks(block, rows, np.repeat(vectors, 2, axis=0), NOTHING, 1.0)
    assert [row.id for row in outcome.kept] == [f"i{place:03d}" for place in range(0, 100, 2)]
