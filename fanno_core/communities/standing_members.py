"""The members of communities as columns over the rows of the standing graph, before a change and after it.

Only communities that the change touches are looked at one by one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from fanno_core.communities.neighbours import Mask, Rows
from fanno_core.communities.representatives import central, places, ranked
from fanno_core.communities.standing_graph import StandingGraph, places_of
from fanno_core.settings import Communities

Strings = npt.NDArray[np.str_]

# The label of documents in no community (`fast` with a minimum size).
NONE = -1


@dataclass(frozen=True)
class Before:
    """What the version before says of the documents that stand; of new ones nothing.

    Attributes:
        fresh: `[n]` which are new.
        names: `[c]` ids of communities with a member that stands, rising.
        labels: `[n]` each one's community as a place in `names`; `NONE` if it is in none; new ones are alone, with
            labels after those.
        sizes: `[n]` members of its community, gone ones included; 0 of new ones and of those in none.
        lost: places in `names` of the communities that lost a member.
        name, built, topics, words, represents, asked: `[n]`, columns of `Member`.
    """

    fresh: Mask
    names: Strings
    labels: Rows
    sizes: Rows
    lost: Rows
    name: Strings
    built: Strings
    topics: Rows
    words: Rows
    represents: Mask
    asked: Mask

    @staticmethod
    def of(members: pa.Table, graph: StandingGraph) -> Before:
        """The rows of `Member` that a version holds, in any order."""
        rows = places_of(members["id"], graph.ids)
        stands, total = rows >= 0, len(graph.ids)
        fresh = np.ones(total, np.bool_)
        fresh[rows[stands]] = False
        communities = _strings(members["community"])
        names, members_of = np.unique(communities, return_inverse=True)
        sizes = np.where(names == "", 0, np.bincount(members_of, minlength=len(names)))

        def spread(values: npt.NDArray[Any]) -> Any:
            column = np.zeros(total, values.dtype)
            column[rows[stands]] = values[stands]
            return column

        name = spread(communities)
        standing = np.setdiff1d(name[~fresh], [""])
        labels = np.where(name == "", NONE, np.searchsorted(standing, name))
        labels[fresh] = len(standing) + np.arange(fresh.sum())
        return Before(
            fresh,
            standing,
            labels,
            spread(sizes[members_of]),
            np.flatnonzero(np.isin(standing, communities[~stands])),
            name,
            spread(_strings(members["built"])),
            *(spread(_numbers(members[each])) for each in ("topic", "words", "represents", "asked")),
        )


@dataclass(frozen=True)
class After:
    """The communities after a change, and who stands for them.

    Attributes:
        name: `[n]` id of each document's community; empty: it is in none.
        sizes: `[n]` members of its community; 0 if it is in none.
        represents: `[n]` whether it stands for its community.
        ranks: of the documents that do so from now on, by row, the place within the community.
    """

    name: Strings
    sizes: Rows
    represents: Mask
    ranks: dict[int, int]

    @staticmethod
    def of(
        before: Before, labels: Rows, words: Sequence[int], graph: StandingGraph, settings: Communities, prefer: str
    ) -> After:
        """Names the new communities after their central documents and fills the places that are free."""
        names = dict(enumerate(before.names.tolist()))
        taken, represents = set(names.values()), before.represents.copy()
        ranks: dict[int, int] = {}
        for label, group in _concerned(before, labels, settings):
            free = places(len(group), settings) - int(represents[group].sum())
            if free <= 0 and label in names:
                continue
            centre = central(group, graph.ids, graph.vectors)
            order = ranked(group, centre, graph.ids, words, prefer)
            if label not in names:
                names[label] = _unused([graph.ids[row] for row in order], taken)
                taken.add(names[label])
            for rank, row in enumerate(order):
                if free > 0 and not represents[row]:
                    ranks[row], represents[row], free = rank, True, free - 1
        every = np.asarray([names.get(label, "") for label in range(int(labels.max(initial=-1)) + 1)] + [""], np.str_)
        sizes = np.bincount(labels[labels != NONE], minlength=len(every))
        return After(every[labels], np.where(labels == NONE, 0, sizes[labels]), represents, ranks)


def _concerned(before: Before, labels: Rows, settings: Communities) -> list[tuple[int, list[int]]]:
    """The communities that won or lost a member or have a free place, by label, and the rows of each."""
    moved = labels != before.labels
    touched = np.concatenate([labels[before.fresh | moved], before.labels[moved], before.lost])
    sizes = np.bincount(labels[labels != NONE])
    standing = np.bincount(labels[before.represents], minlength=len(sizes))
    # Also where no member was lost tonight: a version may have been built without some that left meanwhile.
    free = (sizes >= settings.min_size) & (standing < np.minimum(sizes, settings.per_community))
    touched = np.union1d(touched, np.flatnonzero(free))
    order = np.argsort(labels, kind="stable")
    there = np.intersect1d(touched[touched != NONE], labels)
    starts = np.searchsorted(labels[order], there)
    ends = np.searchsorted(labels[order], there, side="right")
    return [
        (label, order[start:end].tolist())
        for label, start, end in zip(there.tolist(), starts.tolist(), ends.tolist(), strict=True)
    ]


def _unused(ids: list[str], taken: set[str]) -> str:
    """The first id after which no community is named; where all are, one made of the first."""
    # A document may leave the community that was named after it, and that keeps the name.
    made = (hashlib.sha256(f"{ids[0]} {i}".encode()).hexdigest()[:16] for i in count())
    return next((each for each in ids if each not in taken), "") or next(each for each in made if each not in taken)


def _strings(column: pa.ChunkedArray) -> Strings:
    return np.asarray(column.to_pylist(), dtype=np.str_)


def _numbers(column: pa.ChunkedArray) -> npt.NDArray[Any]:
    return np.asarray(column.to_numpy())
