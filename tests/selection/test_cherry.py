"""Cherry LLM's selections against its published functions and rules."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanno_core.errors import BadSettings
from fanno_core.selection.cherry import (
    IfdOptions,
    PreExperienceOptions,
    choose_ifd,
    choose_pre_experience,
    groups_of,
    middle_confidence,
    score_ifd,
    score_prompt,
)
from fanno_core.selection.contract import Keep, keep_of
from tests.selection.rows import alpaca_rows, reasons_of, row_of, scores_of, tools_with
from tests.shared_data import shared, shared_rows

NAN = float("nan")
SCORED = IfdOptions(model="llama_tiny")


def chosen_places(values: list[float], keep: str, **options: Any) -> list[int]:
    found = choose_ifd([], scores_of(values), keep_of(keep), tools_with(), IfdOptions(**options))
    assert {*found.places}.isdisjoint(found.others)
    assert len(found.places) + len(found.others) == len(values)
    return list(found.places)


def published_places(values: list[float], rate: float) -> list[int]:
    """`data_by_IFD`: what is above 1 is skipped; the end of the sorted rest, in the order of the rows."""
    rising = sorted((value, place) for place, value in enumerate(values) if value <= 1)
    count = int(len(rising) * rate)
    return sorted(place for _, place in rising[len(rising) - count :])


async def test_scores_are_those_of_the_published_code() -> None:
    golden = shared_rows("golden/ifd_reference_64.jsonl")
    rows = [row_of(row["instruction"], row["output"], row["input"]) for row in golden]
    wanted = [row["cherry_llama_tiny_alpaca512"]["ifd_score"] for row in golden]
    found = await score_ifd(rows, tools_with(), SCORED)
    assert [score.reason for score in found] == ["" if value is not None else "nothing_to_score" for value in wanted]
    there = [(s.score, value) for s, value in zip(found, wanted, strict=True) if value is not None]
    assert len(there) > 55
    assert [score for score, _ in there] == pytest.approx([value for _, value in there], rel=1e-4)
    assert all(
        score.by == "ifd_by_loss" and score.score == round(score.score, 6) for score in found if not score.reason
    )


async def test_a_score_is_the_same_in_any_company() -> None:
    rows = alpaca_rows(24)
    together = await score_ifd(rows, tools_with(), SCORED)
    back = await score_ifd(rows[::-1], tools_with(), SCORED)
    alone = [(await score_ifd([row], tools_with(), SCORED))[0] for row in rows]
    for one, other in zip(together, alone, strict=True):
        assert one.score == pytest.approx(other.score, rel=1e-4, nan_ok=True)
    assert [s.score for s in together] == pytest.approx([s.score for s in back[::-1]], rel=1e-4, nan_ok=True)


@pytest.mark.parametrize("how", [score_ifd, score_prompt])
async def test_a_model_has_to_be_named(how: Any) -> None:
    options = IfdOptions() if how is score_ifd else PreExperienceOptions()
    with pytest.raises(BadSettings, match="needs a model that scores: --option model="):
        await how([row_of("Why?", "Because.")], tools_with(), options)


@given(st.lists(st.one_of(st.sampled_from([0.5, 1.0, NAN]), st.floats(0, 2)), max_size=60), st.integers(1, 100))
def test_a_share_is_chosen_as_by_the_published_code(values: list[float], percent: int) -> None:
    assert chosen_places(values, f"{percent}%") == published_places(values, percent / 100)


def test_a_ratio_of_one_stays_and_more_goes() -> None:
    found = choose_ifd([], scores_of([0.4, 1.0, 1.000001, NAN, 0.9]), Keep(share=0.7), tools_with(), IfdOptions())
    assert found.places == [1, 4]
    assert reasons_of(found) == {0: "not_selected", 2: "above_bound", 3: "nothing_to_score"}
    assert found.others[0][1] == "test=0.4"


def test_a_share_that_is_no_row_keeps_none() -> None:
    assert chosen_places([0.5, 0.6, 0.7], "10%") == []


def test_a_share_of_all_rows_comes_best_first() -> None:
    values = [0.2, 1.5, 0.9, NAN, 0.9, 0.3]
    assert chosen_places(values, "50%", rate_of="all") == [2, 4, 5]
    assert chosen_places(values, "50%") == [2, 4]


def test_rows_and_a_smallest_score_are_kept_too() -> None:
    values = [0.2, 1.5, 0.9, NAN, 1.0]
    assert chosen_places(values, "2") == [2, 4]
    assert chosen_places(values, "50") == [0, 2, 4]
    assert chosen_places(values, ">=0.9") == [2, 4]


def test_the_middle_sample_is_that_of_the_published_code() -> None:
    golden = json.loads(shared("golden/cherry_middle_sample.json").read_text(encoding="utf-8"))
    found = middle_confidence(golden["labels"], golden["ppl"], golden["n"], (golden["low"], golden["up"]))
    assert {str(group): places for group, places in found.items()} == golden["expected"]


def test_a_small_group_gives_all_that_it_has() -> None:
    assert middle_confidence([0, 1, 0], [9.0, 1.0, 1.0], 10) == {0: [0, 2], 1: [1]}


def test_groups_are_found_again() -> None:
    draw = np.random.default_rng(0)
    vectors = np.repeat(10 * draw.normal(size=(5, 8)), 12, axis=0) + 0.1 * draw.normal(size=(60, 8))
    labels = groups_of(vectors.astype(np.float32), 5)
    assert [len({*labels[start : start + 12].tolist()}) for start in range(0, 60, 12)] == [1] * 5
    assert labels.tolist() == groups_of(vectors.astype(np.float32), 5).tolist()


async def test_pre_experience_draws_from_every_group() -> None:
    rows = alpaca_rows(60)
    options = PreExperienceOptions(model="llama_tiny", clusters=6)
    scores = await score_prompt(rows, tools_with(), options)
    assert all(score.score > 1 for score in scores)
    found = choose_pre_experience(rows, scores, Keep(rows=12), tools_with(), options)
    assert 6 <= len(found.places) <= 12
    assert len({*found.places}) == len(found.places)
    assert len(found.places) + len(found.others) == 60
    assert found == choose_pre_experience(rows, scores, Keep(rows=12), tools_with(), options)
    assert choose_pre_experience(rows, scores, Keep(rows=5), tools_with(), options).places == []
    with pytest.raises(BadSettings, match="pre-experience keeps a share"):
        choose_pre_experience(rows, scores, Keep(at_least=1.0), tools_with(), options)


async def test_perplexity_of_a_prompt_is_that_of_the_model_itself() -> None:
    import torch

    (row,) = alpaca_rows(1)
    options, tools = PreExperienceOptions(model="llama_tiny"), tools_with()
    (score,) = await score_prompt([row], tools, options)
    scorer = tools.load_scorer("llama_tiny")
    ids = torch.tensor([scorer.tokenizer.encode(options.how().prompt(row), truncation=True, max_length=512)])
    with torch.no_grad():
        wanted = float(torch.exp(scorer.model(ids, labels=ids).loss))
    assert score.score == pytest.approx(wanted, rel=1e-4)
