"""The most diverse rows first: each next one is the farthest from all that were taken (Gonzalez' k-centre traversal).

Exact, and far cheaper than measuring every row at every step. A row's distance to what was taken only shrinks, so an
old one is an upper bound: rows are measured again in blocks, and only those whose bound is among the largest.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fanno_core.store.contracts import Floats

STEPS = 2**11
"""Components are rounded to this part of 1, which changes a cosine by some 0.0002. Products of two, and sums of these,
then have no rounding error in float32, so that neither the processor nor the order of a sum changes what is taken."""
BLOCK = 2048
PAGE = 128
"""What a bound knows of is noted to the last full page, so that a block falls into few groups to be measured."""
TAKEN = -1.0

Places = npt.NDArray[np.int64]


def farthest_first(vectors: Floats, most: int) -> Places:
    """The places of the rows that are taken, in the order of taking.

    Args:
        vectors: `[n, d]` unit vectors.
        most: how many to take; no more than n are.

    Returns:
        `[min(most, n)]`. The first is the row that is nearest to the mean; ties go to the lower place.

    Source: Gonzalez 1985, Clustering to minimize the maximum intercluster distance; also Sener and Savarese 2018.
    """
    exact = rounded(vectors)
    most = min(most, len(exact))
    taken = np.zeros(most, np.int64)
    if not most:
        return taken
    traversal = _Traversal(exact, taken)
    traversal.take(_most_central(exact))
    while traversal.count < most:
        traversal.take_from_block()
    return taken


def rounded(vectors: Floats) -> Floats:
    """Vectors whose products are exact in float32: their components are multiples of 1 / STEPS."""
    return (np.rint(vectors * STEPS) / STEPS).astype(np.float32)


def _most_central(vectors: Floats) -> int:
    # Sums of multiples of 1 / STEPS are exact in float64; the products with them are not, hence the rounding.
    mean = np.rint(vectors.sum(axis=0, dtype=np.float64) * STEPS / len(vectors)) / STEPS
    return int(np.argmax(vectors.astype(np.float64) @ mean))


class _Traversal:
    """The bounds on the rows, and how far each is up to date.

    Attributes:
        bound: `[n]` at most this far from what was taken, as 1 - cosine; TAKEN for what was taken itself.
        seen: `[n]` how many of those taken the bound knows of at least.
        count: how many were taken.
    """

    def __init__(self, vectors: Floats, taken: Places) -> None:
        self.vectors, self.taken, self.count = vectors, taken, 0
        self.bound = np.full(len(vectors), np.inf, np.float32)
        self.seen = np.zeros(len(vectors), np.int64)

    def take(self, place: int) -> None:
        self.taken[self.count] = place
        self.bound[place] = TAKEN
        self.count += 1

    def take_from_block(self) -> None:
        """Takes rows as long as the farthest of a block is farther than any bound outside of it."""
        block, limit, first = self._block()
        self._measure(block)
        near, distance = self.vectors[block], self.bound[block]
        while self.count < len(self.taken):
            best = int(np.argmax(distance))
            if distance[best] < limit or (distance[best] == limit and block[best] > first):
                break
            self.take(int(block[best]))
            np.minimum(distance, _apart(near @ near[best]), out=distance)
            distance[best] = TAKEN
        self.bound[block] = distance
        self.seen[block] = self.count - self.count % PAGE

    def _block(self) -> tuple[Places, float, int]:
        """The places of the largest bounds in rising order; the largest bound that is left, and its first place."""
        size = min(BLOCK, len(self.bound))
        least = np.partition(self.bound, len(self.bound) - size)[len(self.bound) - size]
        above, equal = np.flatnonzero(self.bound > least), np.flatnonzero(self.bound == least)
        chosen = np.zeros(len(self.bound), bool)
        chosen[above] = True
        chosen[equal[: size - len(above)]] = True
        left = np.where(chosen, -np.inf, self.bound)
        first = int(np.argmax(left))
        return np.flatnonzero(chosen), float(left[first]), first

    def _measure(self, block: Places) -> None:
        """Brings the bounds of a block up to date, those that know of equally many together."""
        for seen in np.unique(self.seen[block]):
            rows = block[self.seen[block] == seen]
            centres = self.vectors[self.taken[seen : self.count]]
            nearest = (self.vectors[rows] @ centres.T).max(axis=1, initial=-1)
            self.bound[rows] = np.minimum(self.bound[rows], _apart(nearest))


def _apart(cosines: Floats) -> Floats:
    """Distances of these cosines. Rounded vectors may be longer than 1, so that equal ones seem to overlap."""
    return np.maximum(1 - cosines, 0)
