"""Histograms and means, with edges that are easy to read."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from fanno_core.report.numbers import Histogram, Score

DIGITS = 6
"""Decimals of every measured number."""
STEPS_A_UNIT = 20
MOST_UNITS = 5
MOST_BINS = 30
NICE = (1, 2, 5)
LONGEST_SHARE = 0.99
"""Share of the values that the bins of counts reach to; what is larger goes into the last bin."""

Values = npt.NDArray[np.float64] | Sequence[float]


def mean_of(values: Values) -> float:
    """The mean; 0 where there are none."""
    return round(math.fsum(values) / len(values), DIGITS) if len(values) else 0.0


def score_of(values: Values) -> Score:
    """Rows, mean and histogram of scores, most of which lie in [0, 1]: bins of 0.05, over more units if need be.

    What lies above 5 goes into the last bin, and what lies below -5 into the first.
    """
    found = np.asarray(values, np.float64).round(DIGITS)
    low = max(-MOST_UNITS, min(0, math.floor(found.min()))) if len(found) else 0
    high = min(MOST_UNITS, max(1, math.ceil(found.max()))) if len(found) else 1
    edges = [step / STEPS_A_UNIT for step in range(low * STEPS_A_UNIT, high * STEPS_A_UNIT + 1)]
    return Score(len(found), mean_of(values), histogram_of(found, edges))


def histogram_of(values: Values, edges: Sequence[float]) -> Histogram:
    """How many values lie between each two edges; what lies outside counts in the first or the last bin."""
    inside = np.clip(np.asarray(values, np.float64), edges[0], edges[-1])
    counts, _ = np.histogram(inside, edges)
    return Histogram(tuple(float(edge) for edge in edges), tuple(int(count) for count in counts))


def count_edges(values: Iterable[int], share: float = LONGEST_SHARE) -> list[float]:
    """Edges of at most 31 bins of 1, 2, 5, 10, 20 ... from 0, that reach to this share of the values.

    Args:
        values: counts, >= 0.
        share: 1 reaches to the largest.
    """
    found = sorted(values)
    reached = found[math.ceil(share * len(found)) - 1] if found else 0
    step = next(
        nice * 10**power for power in range(20) for nice in NICE if (reached + 1) / (nice * 10**power) <= MOST_BINS
    )
    return [float(edge) for edge in range(0, reached + 1 + step, step)]
