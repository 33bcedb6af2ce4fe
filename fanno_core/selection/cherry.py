"""Cherry LLM: rows whose instructions help a model least to foresee the answers, by the ratio of losses (IFD).

`ifd` is the selection proper. A ratio above 1 means that the instruction misleads, so these rows are dropped, and a row
of exactly 1 is not. Of the others the highest are kept, in the order of the rows. `pre-experience` is the small,
varied selection on which the paper first trains the model that scores: prompts are grouped by what the model makes of
them, and of each group a few of middling perplexity are drawn.

What differs from the published code: a share so small that it is no row keeps none (there, a slice from `-0` keeps
all); losses are those of a row's own answer also where it has an input, which `wiz` prompts leave out of one of two
slices, so that there is no such wording here.

Source: Li et al. 2023, arXiv 2308.12032; tianyi-lab/Cherry_LLM 01fac8d, `data_analysis`, `data_by_cluster`,
`data_by_IFD` and `select_from_ifd_json`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from fanno_core.errors import BadSettings, MissingExtra
from fanno_core.extras import how_to_install
from fanno_core.selection.contract import Chosen, Keep, Score, Selector, without_smallest
from fanno_core.selection.ifd import CHERRY, CHERRY_VICUNA, Wording, ifd
from fanno_core.selection.losses import Ending
from fanno_core.selection.ranking import best_first, chosen, counted, readable, scored, within
from fanno_core.store.contracts import Example, Floats
from fanno_core.tools import Options, Tools

HIGHEST = 1.0
WORDINGS = {"alpaca": CHERRY, "vicuna": CHERRY_VICUNA}
MIDDLE = (25.0, 75.0)
"""Percentiles of a group's perplexities between which its rows are drawn; as in the published commands."""
ROUNDED = 4
"""Decimals of what groups are made of, so that the rounding of batched sums does not move a row to another group."""


class ScorerOptions(Options):
    """Which model scores, and how a row is put to it."""

    model: str = Field(
        "", description="folder or hub name of the causal language model that scores; there is no default"
    )
    wording: Literal["alpaca", "vicuna"] = Field("alpaca", description="whose prompt a row is put in")
    max_tokens: int = Field(512, ge=32, description="prompt and answer are cut here; 512 in the published scripts")

    def how(self) -> Wording:
        """The wording with its cut."""
        return replace(WORDINGS[self.wording], most_tokens=self.max_tokens)

    def named(self, selector: str) -> str:
        """The model.

        Raises:
            BadSettings: none is named.
        """
        if not self.model:
            raise BadSettings(f"{selector} needs a model that scores: --option model=FOLDER or hub name")
        return self.model


class IfdOptions(ScorerOptions):
    """How IFD is measured, and what a share is taken of."""

    rate_of: Literal["valid", "all"] = Field(
        "valid", description="a share of: the rows that have an IFD of at most 1, or, as in the newer code, all rows"
    )


class PreExperienceOptions(ScorerOptions):
    """How prompts are grouped."""

    clusters: int = Field(100, ge=1, description="groups of prompts; 100 in the published code")


async def score_ifd(rows: Sequence[Example], tools: Tools, options: IfdOptions) -> list[Score]:
    """IFD by loss of each row.

    Raises:
        BadSettings: no model is named.
        MissingExtra, RunStops: the model cannot be loaded.
    """
    scorer = tools.load_scorer(options.named("ifd"))
    found = await asyncio.to_thread(ifd, rows, scorer, options.how())
    return [scored(row.id, "ifd_by_loss", one.by_loss) for row, one in zip(rows, found, strict=True)]


def choose_ifd(
    _rows: Sequence[Example], scores: Sequence[Score], keep: Keep, _tools: Tools, options: IfdOptions
) -> Chosen:
    """The rows of the highest IFD that is at most 1: in their order, or best first where a share is one of all rows."""
    there = readable(scores)
    fair = [place for place in there if scores[place].score <= HIGHEST]
    if keep.at_least is not None:
        places = within(scores, fair, keep, 0)
    elif options.rate_of == "all":
        places = best_first(scores, fair)[: keep.count(len(scores))]
    else:
        # The published code sorts by score and then by place, and takes the end: of equal rows the later ones.
        rising = sorted(fair, key=lambda place: (scores[place].score, place))
        places = sorted(rising[len(fair) - keep.count(len(fair)) :])
    return chosen(places, scores, "above_bound", set(there) - set(fair))


async def score_prompt(rows: Sequence[Example], tools: Tools, options: PreExperienceOptions) -> list[Score]:
    """Perplexity of each row's prompt, without its answer.

    Raises:
        BadSettings: no model is named.
        MissingExtra, RunStops: the model cannot be loaded.
    """
    scorer = tools.load_scorer(options.named("pre-experience"))
    endings = [Ending(options.how().prompt(row), most_tokens=options.max_tokens) for row in rows]
    perplexities = np.exp(await asyncio.to_thread(scorer.losses, endings))
    return [scored(row.id, "prompt_perplexity", float(one)) for row, one in zip(rows, perplexities, strict=True)]


def choose_pre_experience(
    rows: Sequence[Example], scores: Sequence[Score], keep: Keep, tools: Tools, options: PreExperienceOptions
) -> Chosen:
    """Equally many rows of each group of prompts, group by group.

    Raises:
        BadSettings: no model is named, or rows are to be kept by a smallest score.
        MissingExtra: scikit-learn is not installed.
    """
    there = readable(scores)
    clusters = min(options.clusters, len(there))
    each = counted(keep, len(rows), "pre-experience") // max(1, clusters)
    if not each:
        return chosen([], scores)
    scorer = tools.load_scorer(options.named("pre-experience"))
    prompts = [options.how().prompt(rows[place]) for place in there]
    labels = groups_of(scorer.embeddings(prompts, options.max_tokens), clusters)
    found = middle_confidence(labels, [scores[place].score for place in there], each)
    return chosen([there[place] for places in found.values() for place in places], scores)


def groups_of(vectors: Floats, count: int) -> npt.NDArray[np.int64]:
    """`[n]` the number of each vector's group.

    Raises:
        MissingExtra: scikit-learn or threadpoolctl is not installed.

    Source: `data_by_cluster`: KMeans with its defaults, among them ten beginnings, and random_state 0.
    """
    try:
        from sklearn.cluster import KMeans
        from threadpoolctl import threadpool_limits
    except ImportError:
        raise MissingExtra(f"pre-experience needs scikit-learn: {how_to_install('models')}") from None
    with threadpool_limits(1):  # sums depend on how many share them
        labels: npt.NDArray[np.int64] = KMeans(count, n_init=10, random_state=0).fit_predict(vectors.round(ROUNDED))
    return labels


def middle_confidence(
    labels: Sequence[int] | npt.NDArray[np.int64],
    perplexities: Sequence[float],
    each: int,
    bounds: tuple[float, float] = MIDDLE,
) -> dict[int, list[int]]:
    """The places of the rows that are drawn from each group, evenly from those of middling perplexity.

    Args:
        labels: number of each row's group, from 0.
        perplexities: of the rows.
        each: how many of a group; a smaller group gives all that it has.
        bounds: percentiles between which, both included, a perplexity is middling.

    Source: `sample_middle_confidence_data` of Cherry_LLM.
    """
    numbers, values = np.asarray(labels), np.asarray(perplexities, np.float64)
    drawn = {}
    for group in range(len(np.unique(numbers))):
        places = np.flatnonzero(numbers == group)
        if len(places) >= each:
            low, high = np.percentile(values[places], bounds)
            places = places[(values[places] >= low) & (values[places] <= high)]
        drawn[group] = places[:: max(1, len(places) // each)][:each].tolist()
    return drawn


def check_model(selector: str, options: ScorerOptions) -> None:
    """Refuses options without a model that scores.

    Raises:
        BadSettings: none is named.
    """
    options.named(selector)


def check_pre_experience(options: PreExperienceOptions, keep: Keep) -> None:
    """The same, and refuses a smallest score: rows are drawn from the middle.

    Raises:
        BadSettings: no model is named, or `keep` is a smallest score.
    """
    check_model("pre-experience", options)
    without_smallest("pre-experience", keep)


IFD = Selector(
    name="ifd",
    meaning="rows whose instruction helps a model least to foresee the answer, by a ratio of losses (Cherry LLM)",
    version=1,
    keep="10%",
    score=score_ifd,
    choose=choose_ifd,
    options=IfdOptions,
    check=lambda options, _keep: check_model("ifd", options),
)
PRE_EXPERIENCE = Selector(
    name="pre-experience",
    meaning="a few rows of each group of prompts, of middling perplexity: what Cherry LLM first trains its model on",
    version=1,
    keep="1000",
    score=score_prompt,
    choose=choose_pre_experience,
    options=PreExperienceOptions,
    check=check_pre_experience,
)
