"""Which instructions are new: held by cosine against every instruction kept before, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from fanno_core.communities.neighbours import build_index
from fanno_core.outcome import Outcome
from fanno_core.store.contracts import Floats, Instruction, Rejection, Vector, rejected

# The pool is searched once a block; within a block the cosines are one matrix product.
BLOCK = 512
NO_NEIGHBOUR = -1.0


def keep_novel(
    candidates: Sequence[Instruction], vectors: Floats, pool: Floats, threshold: float, phase: str
) -> Outcome[Instruction]:
    """The candidates whose cosine to everything kept before is below the threshold; the best go first.

    Args:
        candidates: instructions, in any order.
        vectors: `[n, d]` their unit vectors, in the same order.
        pool: `[p, d]` unit vectors of the instructions kept so far; never embedded again.
        threshold: cosine from which two instructions count as one.
        phase: the phase that rejects.

    Returns:
        Kept candidates with their `similarity`; the extra table `vectors` holds their vectors.
        Rejected are `not_novel`.

    The order is by falling probability of being answerable, then by id: of near-equal instructions the best
    stays, which is what the published filter's `value` suggests but does not do.
    """
    order = sorted(range(len(candidates)), key=lambda i: (-round(candidates[i].answerable, 3), candidates[i].id))
    kept: list[Instruction] = []
    kept_rows: list[int] = []
    dropped: list[Rejection] = []
    known = pool
    for start in range(0, len(order), BLOCK):
        block = order[start : start + BLOCK]
        chosen: list[int] = []
        outer = _nearest(known, vectors[block])
        # In float64: the last bits of a product in float32 depend on how many threads share it.
        wide = vectors[block].astype(np.float64)
        inner = wide @ wide.T
        for place, row in enumerate(block):
            nearest = max([float(outer[place]), *(float(inner[place, other]) for other in chosen)])
            # Rounded, because the cosine of a vector with itself may be 0.9999999.
            if round(nearest, 6) >= threshold:
                dropped.append(rejected(candidates[row], phase, "not_novel", f"cosine {nearest:.3f}"))
            else:
                chosen.append(place)
                kept.append(replace(candidates[row], similarity=round(nearest, 6)))
        rows = [block[place] for place in chosen]
        kept_rows += rows
        known = np.concatenate([known, vectors[rows]]) if len(known) else vectors[rows]
    made = [Vector(candidates[row].id, vectors[row]) for row in kept_rows]
    return Outcome(kept, dropped, len(candidates), extras={"vectors": (Vector, made)})


def _nearest(known: Floats, queries: Floats) -> Floats:
    """The largest cosine of each query to anything known; -1 where nothing is."""
    if not len(known):
        return np.full(len(queries), NO_NEIGHBOUR, np.float32)
    scores, _ = build_index(known, exact_below=len(known), seed=0).search(queries, 1)
    return scores[:, 0]
