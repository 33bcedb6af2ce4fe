"""Words, runs of words and bins, written a second time so that the measures' own are held against them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np
import pytest

from fanno_core.report.numbers import Histogram, Score

WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")


def words(text: str) -> list[str]:
    return WORD.findall(text)


def grams(items: list[str], n: int) -> list[tuple[str, ...]]:
    return [tuple(items[i : i + n]) for i in range(len(items) - n + 1)]


def score_edges(values: Sequence[float]) -> list[float]:
    """Twentieths, over [0, 1] and as many more units as the values need, five at most."""
    low, high = max(-5, math.floor(min(values, default=0))), min(5, math.ceil(max(values, default=1)))
    return [step / 20 for step in range(20 * min(low, 0), 20 * max(high, 1) + 1)]


def count_edges(values: Sequence[int], share: float = 0.99) -> list[float]:
    """The narrowest of bins of 1, 2, 5, 10 ... that reach to this share of the counts in 30."""
    reached = int(np.quantile(values, share, method="inverted_cdf")) if len(values) else 0
    width = next(w for ten in (1, 10, 100, 1000) for w in (ten, 2 * ten, 5 * ten) if 30 * w >= reached + 1)
    return [float(width * n) for n in range(math.ceil((reached + 1) / width) + 1)]


def binned(values: Sequence[float], edges: Sequence[float]) -> Histogram:
    """Each value in the last bin that begins at it or below, and in the first where none does."""
    counts = [0] * (len(edges) - 1)
    for value in values:
        counts[max((n for n, edge in enumerate(edges[:-1]) if round(value, 6) >= edge), default=0)] += 1
    return Histogram(tuple(edges), tuple(counts))


def assert_score(score: Score, values: Sequence[float]) -> None:
    """Holds a score against all the values that it is made of."""
    assert score.rows == len(values)
    assert score.mean == pytest.approx(np.mean(values), abs=1e-6)
    assert score.histogram == binned(values, score_edges(values))


def lcs(a: list[str], b: list[str]) -> int:
    row = [0] * (len(b) + 1)
    for x in a:
        above, row = row, [0]
        for j, y in enumerate(b):
            row.append(above[j] + 1 if x == y else max(row[j], above[j + 1]))
    return row[-1]


def rouge(a: str, b: str) -> float:
    one, other = (re.findall("[a-z0-9]+", text.lower()) for text in (a, b))
    return 2 * lcs(one, other) / (len(one) + len(other)) if one or other else 0.0
