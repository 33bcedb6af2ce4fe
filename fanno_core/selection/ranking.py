"""What selectors have in common: rows without a score, the order of the others, and why the rest is left out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from fanno_core.errors import BadSettings
from fanno_core.selection.contract import Chosen, Keep, Score
from fanno_core.store.contracts import Example
from fanno_core.tools import Options, Tools

DIGITS = 6
"""Scores are rounded to these, so that rows that were scored beside others do not get another one."""
NOTHING_TO_SCORE, UNREADABLE = "nothing_to_score", "unreadable_score"


def scored(id: str, by: str, value: float) -> Score:  # noqa: A002 - as the field is called
    """The score of a row, rounded; `nothing_to_score` where the value is NaN."""
    return Score(id, by, round(value, DIGITS), NOTHING_TO_SCORE if math.isnan(value) else "")


def readable(scores: Sequence[Score]) -> list[int]:
    """The places of the rows that have a score."""
    return [place for place, score in enumerate(scores) if not math.isnan(score.score)]


def best_first(scores: Sequence[Score], places: Iterable[int]) -> list[int]:
    """Places by falling score; equal ones in their order."""
    return sorted(places, key=lambda place: -scores[place].score)


def within(scores: Sequence[Score], places: Iterable[int], keep: Keep, of: int) -> list[int]:
    """Which of these places are kept.

    Returns:
        Where a smallest score decides, those that have it or more, in their order; else as many as are wanted, by
        falling score.

    Args:
        scores: of all rows.
        places: of the rows that may be kept.
        keep: how many.
        of: how many rows a share is taken of.
    """
    if keep.at_least is not None:
        return [place for place in places if scores[place].score >= keep.at_least]
    return best_first(scores, places)[: keep.count(of)]


def chosen(places: Sequence[int], scores: Sequence[Score], why: str = "", out: Iterable[int] = ()) -> Chosen:
    """The chosen places, and why each of the others is left out, with its score.

    Args:
        places: of the chosen rows, in the order of choosing.
        scores: of all rows.
        why: reason code of what was never to be chosen.
        out: the places of these.
    """
    never, taken = set(out), set(places)
    others = {}
    for place, score in enumerate(scores):
        if place not in taken:
            reason = score.reason or (why if place in never else "not_selected")
            others[place] = (reason, "" if score.reason else f"{score.by}={score.score:g}")
    return Chosen(places, others)


def without_scores(places: Sequence[int], count: int) -> Chosen:
    """The chosen places of so many rows that were never scored one by one."""
    taken = set(places)
    return Chosen(places, {place: ("not_selected", "") for place in range(count) if place not in taken})


def choose_by_score(
    rows: Sequence[Example], scores: Sequence[Score], keep: Keep, _tools: Tools, _options: Options
) -> Chosen:
    """The rows with at least the smallest score, in their order; or the best of them, best first."""
    return chosen(within(scores, readable(scores), keep, len(rows)), scores)


def counted(keep: Keep, of: int, name: str) -> int:
    """How many rows a selector keeps that cannot keep by a smallest score.

    Raises:
        BadSettings: a smallest score was asked for.
    """
    if keep.at_least is not None:
        raise BadSettings(f"select.keep {keep}: {name} keeps a share such as 10%, or a number of rows")
    return keep.count(of)
