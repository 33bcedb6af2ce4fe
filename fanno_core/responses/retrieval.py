"""Screened documents that are near an instruction, by FAISS over their vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fanno_core.communities.neighbours import Index, build_index
from fanno_core.store.contracts import Floats

# Looked for beyond what is wanted: the own document, and ties at the end.
SPARE = 4
# Times as many documents as the neighbour graph has, for which the search is exact: lists, which take seconds to make,
# pay off later where a few instructions are looked up and not every document.
MORE_EXACT = 10


@dataclass(frozen=True)
class Library:
    """The screened documents, searchable."""

    ids: Sequence[str]
    texts: Sequence[str]
    index: Index

    def nearest(
        self, queries: Floats, own: Sequence[str], count: int, min_score: float, include_own: bool
    ) -> list[list[tuple[str, str]]]:
        """Documents near each query, best first.

        Args:
            queries: `[q, d]` unit vectors.
            own: for each query the id of the document that it was written from.
            count: documents wanted.
            min_score: smallest cosine.
            include_own: whether a query's own document may be among them.

        Returns:
            For each query up to `count` pairs of id and text.
        """
        scores, rows = self.index.search(queries, count + SPARE)
        found = []
        for document_id, cosines, places in zip(own, scores, rows, strict=True):
            # Equals come in the order of their ids, which does not change when documents are added.
            scored = sorted((-float(c), self.ids[p], int(p)) for c, p in zip(cosines, places, strict=True) if p >= 0)
            near = [p for cosine, name, p in scored if -cosine >= min_score and (include_own or name != document_id)]
            found.append([(self.ids[p], self.texts[p]) for p in near[:count]])
        return found


def build_library(ids: Sequence[str], texts: Sequence[str], vectors: Floats, exact_below: int) -> Library:
    """The library over documents and their `[n, d]` unit vectors, in one order."""
    return Library(ids, texts, build_index(vectors, MORE_EXACT * exact_below, seed=0))


def is_exact(documents: int, exact_below: int) -> bool:
    """Whether the library of so many documents finds the nearest ones for certain."""
    return documents <= MORE_EXACT * exact_below
