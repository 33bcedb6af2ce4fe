"""Rows in splits, whole communities at a time: near-equal documents, and what was written from them, stay together."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fanno_core.errors import RunStops
from fanno_core.store.contracts import Example

NAME = re.compile(r"[a-z][a-z0-9_]*")
"""What `datasets` takes for a split, without what two file systems may see differently."""
RESERVED = {"all"}
EXACT_BELOW = 4096
"""Rows of a split that are looked for exactly; what takes a split up to there is taken as it comes."""

Group = list[Example]


def shares_of(text: str) -> dict[str, float]:
    """The share of each split, from `train=0.95,validation=0.05`.

    Raises:
        RunStops: it is written otherwise, a name stands twice, or the shares do not add up to 1.
    """
    shares: dict[str, float] = {}
    for part in text.split(","):
        name, _, share = (word.strip() for word in part.partition("="))
        if not NAME.fullmatch(name) or name in RESERVED or name in shares:
            raise RunStops(
                f"--split {text!r}: name each split once, in small letters, as in train=0.95,validation=0.05"
            )
        try:
            shares[name] = float(share)
        except ValueError:
            raise RunStops(f"--split {text!r}: the share of {name} has to be a number, such as 0.05") from None
        if not 0 < shares[name] <= 1:
            raise RunStops(f"--split {text!r}: the share of {name} has to be above 0 and at most 1")
    if abs(sum(shares.values()) - 1) > 1e-6:
        raise RunStops(f"--split {text!r}: the shares add up to {sum(shares.values()):g}, and have to add up to 1")
    return shares


def split_rows(rows: Sequence[Example], shares: Mapping[str, float], seed: int) -> dict[str, list[Example]]:
    """The rows of each split, in their order; no community stands in two of them, and none is empty.

    Communities are drawn in an order that the seed gives, so that those of a small split are as mixed as the others;
    one is passed over where without it the split comes nearer to its share. Of each kind of rows, seeds and augmented
    ones, a community that a split has room for comes first.

    Args:
        rows: the rows.
        shares: split to its share; together 1. The largest takes what the others leave.
        seed: gives the order of the communities.

    Raises:
        RunStops: there are fewer communities than splits.
    """
    groups: dict[str, Group] = {}
    for row in rows:
        groups.setdefault(row.community, []).append(row)
    if len(groups) < len(shares):
        raise RunStops(
            f"{len(groups):,} communities of near-equal documents cannot be dealt into {len(shares)} splits; ask for "
            "fewer splits or more rows"
        )
    left = sorted(groups, key=lambda community: _drawn(community, seed))
    split_of: dict[str, str] = {}
    small_first = sorted(shares, key=lambda name: (shares[name], name))
    for number, name in enumerate(small_first[:-1], 1):
        wanted = round(shares[name] * len(rows))
        left = _each_kind_first(left, groups, wanted)
        chosen = _nearest([len(groups[community]) for community in left], wanted)
        # The splits that follow need a community each, too.
        taken = {left[place] for place in chosen[: len(left) - (len(shares) - number)]}
        split_of |= dict.fromkeys(taken, name)
        left = [community for community in left if community not in taken]
    split_of |= dict.fromkeys(left, small_first[-1])
    return {name: [row for row in rows if split_of[row.community] == name] for name in shares}


@dataclass(frozen=True, slots=True)
class Missing:
    """A kind of rows that a split has none of.

    Attributes:
        split: its name.
        kind: `seed` or `augmented`.
        share: the least share of a split with room for the smallest community that holds such rows.
    """

    split: str
    kind: str
    share: float


def kind_of(row: Example) -> str:
    """`seed`, or `augmented` where a window of augmentation has made it."""
    return "augmented" if row.iteration else "seed"


def missing_kinds(splits: Mapping[str, Sequence[Example]]) -> list[Missing]:
    """The kinds of rows that stand in some splits and in others not, split after split."""
    rows = [row for part in splits.values() for row in part]
    sizes = Counter(row.community for row in rows)
    least: dict[str, int] = {}
    for row in rows:
        kind = kind_of(row)
        least[kind] = min(least.get(kind, len(rows)), sizes[row.community])
    return [
        Missing(name, kind, least[kind] / len(rows))
        for name, part in splits.items()
        for kind in sorted(least.keys() - {kind_of(row) for row in part}, reverse=True)
    ]


def _drawn(community: str, seed: int) -> bytes:
    return hashlib.sha256(f"split/{seed}/{community}".encode()).digest()


def _each_kind_first(order: Sequence[str], groups: Mapping[str, Group], wanted: int) -> list[str]:
    """The same communities; first, of each kind of rows, the first one that is no larger than `wanted`."""
    firsts: dict[str, str] = {}
    for community in order:
        if len(groups[community]) <= wanted:
            for row in groups[community]:
                firsts.setdefault(kind_of(row), community)
    return [*dict.fromkeys([*firsts.values(), *order])]


def _nearest(sizes: Sequence[int], wanted: int) -> list[int]:
    """The places of sizes, at least one, whose sum is as near to `wanted` as sums of them come.

    Of all such choices the one that takes the earliest places. Sums are the bits of a whole number: shifted by a
    size, it holds the sums with that size.
    """
    chosen, others, missing = [], [], wanted
    for place, size in enumerate(sizes):
        if size <= missing - EXACT_BELOW:
            chosen.append(place)
            missing -= size
        else:
            others.append(place)
    # Sums above twice what is missing are farther from it than the empty sum; one size alone may have to be taken.
    within = (1 << max(2 * missing, min(sizes)) + 1) - 1
    sums = [1]
    for place in reversed(others):
        more = sums[-1] | (sums[-1] << sizes[place]) & within
        sums.append(sums[-1] if more == sums[-1] else more)  # most are equal: one number stands for all of them
    reachable = sums.pop()
    aim = _nearest_bit(reachable if chosen else reachable & ~1, missing)
    for place in others:
        rest = sums.pop()
        if sizes[place] <= aim and rest >> (aim - sizes[place]) & 1:
            chosen.append(place)
            aim -= sizes[place]
    return chosen


def _nearest_bit(bits: int, place: int) -> int:
    """The place of the set bit that is nearest to a place; of two the lower."""
    below = (bits & ((1 << place + 1) - 1)).bit_length() - 1
    above = bits >> place
    if not above:
        return below
    above_place = place + (above & -above).bit_length() - 1
    return below if below >= 0 and place - below <= above_place - place else above_place
