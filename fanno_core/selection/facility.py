"""Facility location: a few rows such that every row has one near it, chosen greedily.

The value of a choice is the sum over all rows of the similarity to the chosen row that is nearest. Its similarity is
that of submodlib, `exp(-distance / dimensions)` of Euclidean distances, and so are its choices.

What is chosen is what a greedy search over all pairs chooses, but no table of all pairs is held: a row's gain only
shrinks as others are chosen, so an old one is an upper bound, and rows are measured again in blocks, only those whose
bound is among the largest. Each row is measured twice at the start, and that is most of the work.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fanno_core.store.contracts import Floats

BLOCK = 256
STEPS = 2**22
"""Components are rounded to this part of 1: products of two, and sums of these, then have no rounding error in float64,
so that neither the processor nor the order of a sum changes a distance."""
DIGITS = 9
"""Of a gain; what is equal by these goes to the lower place."""
CHOSEN = -1.0

Places = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]


def facility_location(vectors: Floats, most: int) -> list[tuple[int, float]]:
    """The places of the chosen rows in the order of choosing, each with what it added to the value.

    Args:
        vectors: `[n, d]` unit vectors.
        most: how many to choose; no more than n are.

    Source: submodlib's FacilityLocationFunction over Euclidean data with LazyGreedy, as Superfiltering.D calls it.
    """
    most = min(most, len(vectors))
    if not most:
        return []
    search = _Search(np.rint(vectors.astype(np.float64) * STEPS) / STEPS)
    search.choose_first()
    while len(search.chosen) < most:
        search.choose_from_block(most)
    return search.chosen


@dataclass(frozen=True)
class _Block:
    """Some rows, and whatever they are nearer to than all that was chosen before them.

    Attributes:
        places: `[b]` of the rows, rising.
        apart: `[b, n]` squares of their distances to all rows.
        rows, columns, similarity: `[m]` which of them is so near to which row, and how similar they are.
    """

    places: Places
    apart: Numbers
    rows: Places
    columns: Places
    similarity: Numbers

    def gains(self, nearest: Numbers) -> Numbers:
        """`[b]` what each of them adds, by what all rows have near them already."""
        nearer = np.maximum(self.similarity - nearest[self.columns], 0)
        return np.round(np.bincount(self.rows, nearer, len(self.places)), DIGITS)


class _Search:
    """What is chosen, and how much each row would add at most.

    Attributes:
        chosen: places with their gains.
        nearest: `[n]` similarity to the chosen row that is nearest.
        apart: `[n]` square of the distance to it.
        bound: `[n]` at most this much a row adds; CHOSEN for those that are chosen.
    """

    def __init__(self, vectors: Numbers) -> None:
        self.vectors = vectors
        self.chosen: list[tuple[int, float]] = []
        self._squares = (vectors * vectors).sum(axis=1)
        self.nearest = np.zeros(len(vectors))
        self.apart = np.full(len(vectors), np.inf)
        self.bound = np.full(len(vectors), np.inf)

    def choose_first(self) -> None:
        """Chooses the row that is most similar to all."""
        starts = range(0, len(self.vectors), BLOCK)
        blocks = (np.arange(start, min(start + BLOCK, len(self.vectors))) for start in starts)
        gains = np.concatenate([self._similarity(self._apart(block)).sum(axis=1) for block in blocks])
        gains = np.round(gains, DIGITS)
        best = int(np.argmax(gains))
        self._choose(best, float(gains[best]), self._apart(np.array([best]))[0])

    def choose_from_block(self, most: int) -> None:
        """Measures the rows of the largest bounds and chooses of them as long as none outside can add more."""
        places, limit, first = self._largest_bounds()
        block = self._measured(places)
        while len(self.chosen) < most:
            gains = np.where(self.bound[places] == CHOSEN, CHOSEN, block.gains(self.nearest))
            self.bound[places] = gains
            best = int(np.argmax(gains))
            if gains[best] < limit or (gains[best] == limit and places[best] > first) or gains[best] == CHOSEN:
                break
            self._choose(int(places[best]), float(gains[best]), block.apart[best])

    def _choose(self, place: int, gain: float, apart: Numbers) -> None:
        self.chosen.append((place, gain))
        self.bound[place] = CHOSEN
        np.minimum(self.apart, apart, out=self.apart)
        self.nearest = self._similarity(self.apart)

    def _largest_bounds(self) -> tuple[Places, float, int]:
        """The places of the largest bounds, rising; the largest bound that is left, and its first place.

        Of equal bounds the lower places come first: else rows of one bound could wait for each other without end.
        """
        size = min(BLOCK, len(self.bound))
        least = np.partition(self.bound, len(self.bound) - size)[len(self.bound) - size]
        above, equal = np.flatnonzero(self.bound > least), np.flatnonzero(self.bound == least)
        block = np.sort(np.concatenate([above, equal[: size - len(above)]]))
        left = self.bound.copy()
        left[block] = CHOSEN
        first = int(np.argmax(left))
        return block, float(left[first]), first

    def _measured(self, places: Places) -> _Block:
        apart = self._apart(places)
        rows, columns = np.nonzero(apart < self.apart)
        return _Block(places, apart, rows, columns, self._similarity(apart[rows, columns]))

    def _apart(self, places: Places) -> Numbers:
        """`[places, n]` squares of the distances to all rows."""
        apart: Numbers = self.vectors[places] @ self.vectors.T
        apart *= -2
        apart += self._squares
        apart += self._squares[places, None]
        return np.maximum(apart, 0, out=apart)

    def _similarity(self, apart: Numbers) -> Numbers:
        similarity: Numbers = np.exp(np.sqrt(apart) / -self.vectors.shape[1])
        return similarity
