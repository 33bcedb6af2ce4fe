"""One of two answers, read from how likely the model finds each."""

from __future__ import annotations

import math
from collections.abc import Sequence

# Batched arithmetic differs in the last digits with the batch's shape; a probability ends up in rows, whose bytes
# must not.
PROBABILITY_DIGITS = 6


def chosen(choices: Sequence[str], shares: Sequence[float], min_mass: float) -> tuple[str, float | None]:
    """The likelier choice and the probability of the first among them; empty and None where it is none of them.

    Args:
        choices: what may be answered.
        shares: probability of each; NaN where the model gave none.
        min_mass: the least that they must have together: below it the model would rather say something else.
    """
    total = sum(shares)
    if not (math.isfinite(total) and total > 0 and total >= min_mass):
        return "", None
    return choices[list(shares).index(max(shares))], round(shares[0] / total, PROBABILITY_DIGITS)
