"""IFD against what the authors' own codes gave, and against rows scored one at a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest

from fanno_core.errors import RunStops
from fanno_core.selection import losses
from fanno_core.selection.ifd import (
    CHERRY,
    REFLECTION,
    SUPERFILTERING,
    Difficulty,
    Wording,
    ifd,
    ifd_scores,
    reversed_ifd,
)
from fanno_core.selection.losses import Ending, Scorer, load_scorer
from tests.selection.row_at_a_time import perplexity_ratios
from tests.shared_data import shared, shared_rows

GOLDEN = "golden/ifd_reference_64.jsonl"
GPT2, LLAMA = "gpt2_tiny", "llama_tiny"
SUPERFILTERED, CHERRIES, REFLECTED = (
    "superfiltering_gpt2_tiny",
    "cherry_llama_tiny_alpaca512",
    "reflection_llama_tiny_vicuna2048",
)


@dataclass(frozen=True)
class Pair:
    """An instruction with its answer."""

    instruction: str
    input: str
    output: str


@cache
def scorer_of(name: str) -> Scorer:
    return load_scorer(str(shared(f"tiny_models/{name}")))


def pairs_of(file: str, most: int = 64) -> list[Pair]:
    return [Pair(row["instruction"], row["input"], row["output"]) for row in shared_rows(file)[:most]]


@cache
def golden_scores(score: Any, model: str, wording: Wording) -> list[Difficulty]:
    found: list[Difficulty] = score(pairs_of(GOLDEN), scorer_of(model), wording)
    return found


def near(found: float, wanted: float | None) -> bool:
    """Equal to 1e-4, or both not there."""
    return math.isnan(found) if wanted is None else math.isclose(found, wanted, rel_tol=1e-4)


Measure = Callable[[Difficulty], float]
BY_LOSS: Measure = lambda found: found.by_loss  # noqa: E731
BY_PERPLEXITY: Measure = lambda found: found.by_perplexity  # noqa: E731
CASES: list[tuple[Any, str, Wording, str, str, Measure]] = [
    (ifd, LLAMA, CHERRY, CHERRIES, "ifd_score", BY_LOSS),
    (ifd, GPT2, SUPERFILTERING, SUPERFILTERED, "ifd_ppl", BY_PERPLEXITY),
    (ifd, GPT2, SUPERFILTERING, SUPERFILTERED, "ppl_A_direct", lambda found: math.exp(found.alone)),
    (ifd, GPT2, SUPERFILTERING, SUPERFILTERED, "ppl_A_condition", lambda found: math.exp(found.given)),
    (ifd, LLAMA, REFLECTION, REFLECTED, "ifd_ppl", BY_PERPLEXITY),
    (ifd, LLAMA, REFLECTION, REFLECTED, "ifd_loss", BY_LOSS),
    (reversed_ifd, LLAMA, REFLECTION, REFLECTED, "rifd_ppl", BY_PERPLEXITY),
    (reversed_ifd, LLAMA, REFLECTION, REFLECTED, "rifd_loss", BY_LOSS),
    (reversed_ifd, LLAMA, REFLECTION, REFLECTED, "loss_Q_direct", lambda found: found.alone),
    (reversed_ifd, LLAMA, REFLECTION, REFLECTED, "loss_Q_condition", lambda found: found.given),
]


@pytest.mark.parametrize(
    ("score", "model", "wording", "code", "key", "measure"), CASES, ids=[f"{case[3]}-{case[4]}" for case in CASES]
)
def test_scores_are_those_of_the_published_codes(
    score: Any, model: str, wording: Wording, code: str, key: str, measure: Measure
) -> None:
    wanted = {row["id"]: row[code][key] for row in shared_rows(GOLDEN)}
    found = dict(zip(wanted, map(measure, golden_scores(score, model, wording)), strict=True))
    assert {row: (found[row], wanted[row]) for row in wanted if not near(found[row], wanted[row])} == {}


def test_the_two_ratios_are_not_one() -> None:
    (found,) = ifd(pairs_of(GOLDEN, 1), scorer_of(LLAMA))
    assert abs(found.by_loss - found.by_perplexity) > 0.1


def test_a_score_does_not_hang_on_the_rows_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = pairs_of("alpaca_sample_2000.jsonl", 40)
    alone = perplexity_ratios(pairs, scorer_of(GPT2), SUPERFILTERING)
    for most_tokens in (1, 300, 4096):
        monkeypatch.setattr(losses, "MOST_TOKENS_OF_A_CORE", most_tokens)
        together = [found.by_perplexity for found in ifd(pairs, scorer_of(GPT2), SUPERFILTERING)]
        for one, other in zip(alone, together, strict=True):
            assert near(other, None if math.isnan(one) else one)


def test_an_answer_that_is_cut_has_a_score_with_any_tokenizer() -> None:
    # GPT-2 takes 3 tokens for "### Response:", where Cherry LLM's cut reckons with the 4 of Llama.
    long = Pair("Tell me more.", "", "One word after the other. " * 400)
    (found,) = ifd([long], scorer_of(GPT2))
    assert found.by_loss > 0


def test_a_prompt_without_room_and_an_empty_answer_have_none() -> None:
    none = [Pair("Why? " * 600, "", "Because."), Pair("Why?", "", "")]
    for found in ifd(none, scorer_of(LLAMA)):
        assert math.isnan(found.by_loss) and math.isnan(found.by_perplexity)


def test_the_first_token_of_a_text_is_never_scored() -> None:
    scorer = scorer_of(GPT2)
    assert scorer.lengths(["a"]) == [1]
    assert math.isnan(scorer.losses([Ending("a")])[0])


def test_braces_in_a_row_are_text() -> None:
    (found,) = ifd([Pair("Fill {input} and {0}.", "{output}", "{}")], scorer_of(LLAMA))
    assert found.by_loss > 0


def test_scores_of_rows_are_ratios_of_losses() -> None:
    pairs = pairs_of(GOLDEN, 4)
    wanted = [row[CHERRIES]["ifd_score"] for row in shared_rows(GOLDEN)[:4]]
    assert ifd_scores(pairs, str(shared(f"tiny_models/{LLAMA}"))) == pytest.approx(wanted, rel=1e-4)
    assert ifd_scores([], str(shared(f"tiny_models/{LLAMA}"))) == []


def test_a_model_that_cannot_be_loaded_is_named() -> None:
    with pytest.raises(RunStops, match="IFD model no/such/folder: this folder or hub name cannot be loaded"):
        load_scorer("no/such/folder")
