"""Superfiltering: IFD as a ratio of perplexities by a small model, and facility location over what it lets pass.

Rows of 1 and more are dropped; of the others the highest are kept, best first, as many as are a share of all rows.
`superfilter-d` takes a larger share first and of these the rows that stand best for all of them, in the order in which
they were chosen.

What differs from the published code: a share is one of the rows that are given (there, of 52,002, whatever is given);
an error while a row is scored stops the run (there, it is a score of 0, which counts as the lowest).

Source: Li et al. 2024, arXiv 2402.00530; tianyi-lab/Superfiltering f0764af, `code_ifd` and `code_diversity_fla`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from pydantic import Field

from fanno_core.selection.contract import Chosen, Keep, Score, Selector, without_smallest
from fanno_core.selection.facility import facility_location
from fanno_core.selection.ifd import SUPERFILTERING, ifd
from fanno_core.selection.ranking import best_first, chosen, counted, readable, scored, within
from fanno_core.store.contracts import Example
from fanno_core.tools import Options, Tools

BOUND = 1.0


class SuperfilterOptions(Options):
    """Which model scores."""

    model: str = Field(
        "openai-community/gpt2", min_length=1, description="folder or hub name of the small model that scores"
    )
    max_tokens: int = Field(1024, ge=32, description="prompt and answer are cut here; 1,024 in the published code")


class DiverseOptions(SuperfilterOptions):
    """Which model scores, and how many rows facility location chooses from."""

    first: float = Field(0.2, gt=0, le=1, description="share of the rows that the score lets pass first")


async def score(rows: Sequence[Example], tools: Tools, options: SuperfilterOptions) -> list[Score]:
    """IFD by perplexity of each row.

    Raises:
        MissingExtra, RunStops: the model cannot be loaded.
    """
    wording = replace(SUPERFILTERING, most_tokens=options.max_tokens)
    found = await asyncio.to_thread(ifd, rows, tools.load_scorer(options.model), wording)
    return [scored(row.id, "ifd_by_perplexity", one.by_perplexity) for row, one in zip(rows, found, strict=True)]


def choose(
    rows: Sequence[Example], scores: Sequence[Score], keep: Keep, _tools: Tools, _options: SuperfilterOptions
) -> Chosen:
    """The rows of the highest IFD below 1, best first."""
    there = readable(scores)
    fair = [place for place in there if scores[place].score < BOUND]
    places = best_first(scores, within(scores, fair, keep, len(rows)))
    return chosen(places, scores, "above_bound", set(there) - set(fair))


def choose_diverse(
    rows: Sequence[Example], scores: Sequence[Score], keep: Keep, tools: Tools, options: DiverseOptions
) -> Chosen:
    """Of the rows of the highest IFD those that stand best for all of them, in the order of choosing.

    Raises:
        BadSettings: rows are to be kept by a smallest score.
    """
    count = counted(keep, len(rows), "superfilter-d")
    first = choose(rows, scores, Keep(share=options.first), tools, options)
    texts = [f"{row.instruction}\n{row.input}\n{row.output}" for row in (rows[place] for place in first.places)]
    vectors = tools.encode(texts) if texts else np.zeros((0, 1), np.float32)
    places = [first.places[place] for place, _ in facility_location(vectors, count)]
    passed = dict.fromkeys(set(first.places) - set(places), ("not_selected", "passed the score"))
    return Chosen(places, first.others | passed)


SUPERFILTER = Selector(
    name="superfilter",
    meaning="the same by a ratio of perplexities with a small model, GPT-2 (Superfiltering)",
    version=1,
    keep="10%",
    score=score,
    choose=choose,
    options=SuperfilterOptions,
)
SUPERFILTER_D = Selector(
    name="superfilter-d",
    meaning="superfilter, then facility location: of the difficult rows those that stand best for the others",
    version=1,
    keep="2%",
    score=score,
    choose=choose_diverse,
    options=DiverseOptions,
    encodes=True,
    check=lambda _options, keep: without_smallest("superfilter-d", keep),
)
