"""Screened documents that are near an instruction, by FAISS over their vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fanno_core.communities.neighbours import Index, build_index
from fanno_core.store.contracts import Floats

# Looked for beyond what is wanted: the own document, and ties at the end.
SPARE = 4


@dataclass(frozen=True)
class Library:
    """The screened documents, searchable."""

    ids: Sequence[str]
    texts: Sequence[str]
    vectors: Floats
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
        _, rows = self.index.search(queries, count + SPARE)
        found = []
        for document_id, query, places in zip(own, queries, rows, strict=True):
            # FAISS's sums depend in their last bit on how many queries it is given; these do not.
            scored = sorted((-float(self.vectors[p] @ query), self.ids[p], int(p)) for p in places if p >= 0)
            near = [p for cosine, name, p in scored if -cosine >= min_score and (include_own or name != document_id)]
            found.append([(self.ids[p], self.texts[p]) for p in near[:count]])
        return found


def build_library(ids: Sequence[str], texts: Sequence[str], vectors: Floats, exact_below: int) -> Library:
    """The library over documents and their `[n, d]` unit vectors, in one order."""
    return Library(ids, texts, vectors, build_index(vectors, exact_below, seed=0))
