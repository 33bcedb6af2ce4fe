"""Different rows: those that stand best for all others, or those that are farthest from each other.

`facility` is facility location: every row should have one near it, so that dense regions count. `k-center` takes the
row that is farthest from all that were taken, so that odd rows come early. Both are chosen in an order: the first rows
of a larger choice are the smaller choice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from fanno_core.selection.contract import Chosen, Keep, Score, Selector
from fanno_core.selection.facility import facility_location
from fanno_core.selection.farthest import farthest_first
from fanno_core.selection.ranking import counted, without_scores
from fanno_core.store.contracts import Example, question_of
from fanno_core.tools import Options, Tools


class DiverseOptions(Options):
    """What is compared, and how."""

    method: Literal["facility", "k-center"] = Field(
        "facility", description="facility: rows that stand best for the others; k-center: rows farthest from each other"
    )
    field: Literal["instruction", "both"] = Field(
        "instruction", description="what is compared: the instruction with its input, or that and the response"
    )


def choose(
    rows: Sequence[Example], _scores: Sequence[Score], keep: Keep, tools: Tools, options: DiverseOptions
) -> Chosen:
    """The most different rows, in the order of choosing.

    Raises:
        BadSettings: rows are to be kept by a smallest score.
    """
    count = counted(keep, len(rows), "diverse")
    if not rows or not count:
        return without_scores([], len(rows))
    answers = [f"\n{row.output}" if options.field == "both" else "" for row in rows]
    vectors = tools.encode([question_of(row) + answer for row, answer in zip(rows, answers, strict=True)])
    if options.method == "facility":
        places = [place for place, _ in facility_location(vectors, count)]
    else:
        places = farthest_first(vectors, count).tolist()
    return without_scores(places, len(rows))


DIVERSE = Selector(
    name="diverse",
    meaning="rows that differ: facility location or k-centre over embeddings",
    version=1,
    keep="10%",
    score=None,
    choose=choose,
    options=DiverseOptions,
    encodes=True,
)
