"""The documents that a response was given: as its row says, or looked for again where the row was rejected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fanno_core.communities.neighbours import Index
from fanno_core.lineage.shelves import Shelves
from fanno_core.responses.answers import nearest_documents
from fanno_core.responses.retrieval import Library, build_library, is_exact
from fanno_core.store.contracts import Document, Floats, Instruction, Vector
from fanno_core.store.ledger import Store


def documents_of(shelves: Shelves, ids: Sequence[str]) -> list[Document]:
    """The screened documents of these ids, in their order; those that are not there are left out."""
    found = {row.id: row for row in shelves.rows(shelves.kept("verdicts"), Document, "id", ids)}
    return [found[name] for name in ids if name in found]


def retrieve_again(shelves: Shelves, row: Instruction, mode: str) -> list[str]:
    """Ids of the documents that this mode finds for an instruction, best first."""
    if mode not in {"rag", "rag+"}:
        return []
    refs = [*shelves.tables("novelty", "vectors"), *shelves.tables("augment", "vectors")]
    vector = shelves.row(refs, Vector, row.id)
    if vector is None:
        return []
    vectors = {v.id: v.vector for v in Store(shelves.made.out).read(shelves.kept("encode"), Vector)}
    ids = [name for table in shelves.column(shelves.kept("verdicts"), "id") for name in table.column("id").to_pylist()]
    library = _library(ids, np.stack([vectors[name] for name in ids]), shelves.made.settings.communities.exact_below)
    (near,) = nearest_documents([row], vector.vector[None, :], library, mode, shelves.made.settings)
    return [name for name, _ in near]


def _library(ids: Sequence[str], vectors: Floats, exact_below: int) -> Library:
    """The run's library, with ids for texts. Where its search was exact, NumPy proposes what FAISS does."""
    if not is_exact(len(ids), exact_below):
        return build_library(ids, ids, vectors, exact_below)
    return Library(ids, ids, Index(vectors, _Exact(vectors)))


@dataclass(frozen=True)
class _Exact:
    """Proposes the rows of `[n, d]` vectors with the largest products: FAISS would take longer to be imported."""

    vectors: Floats

    def search(self, queries: Floats, count: int) -> tuple[Floats, npt.NDArray[np.int64]]:
        products = queries @ self.vectors.T
        rows = np.argsort(-products, axis=1, kind="stable")[:, :count]
        return np.take_along_axis(products, rows, 1), rows
