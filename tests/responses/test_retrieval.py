from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fanno_core.responses.retrieval import SPARE, Library, build_library, is_exact
from fanno_core.store.contracts import Floats

DIMENSIONS = 4
EXACT = 10_000


def unit_vectors(rng: np.random.Generator, count: int) -> Floats:
    vectors = rng.standard_normal((count, DIMENSIONS)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def library(vectors: Floats, exact_below: int = EXACT) -> Library:
    ids = [f"d{place:02d}" for place in range(len(vectors))]
    return build_library(ids, [f"text of {name}" for name in ids], vectors, exact_below)


def by_brute_force(
    vectors: Floats, query: Floats, own: str, count: int, min_score: float, include_own: bool
) -> list[tuple[str, str]]:
    cosines = vectors.astype(np.float64) @ query.astype(np.float64)
    near = [(-cosine, f"d{place:02d}") for place, cosine in enumerate(cosines) if cosine >= min_score]
    return [(name, f"text of {name}") for _, name in sorted(near) if include_own or name != own][:count]


@given(
    seed=st.integers(0, 2**32),
    documents=st.integers(0, 30),
    asked=st.integers(0, 6),
    count=st.integers(1, 8),
    min_score=st.sampled_from([-1.0, -0.2, 0.3, 0.8]),
    include_own=st.booleans(),
)
def test_equals_brute_force(
    seed: int, documents: int, asked: int, count: int, min_score: float, include_own: bool
) -> None:
    rng = np.random.default_rng(seed)
    vectors, queries = unit_vectors(rng, documents), unit_vectors(rng, asked)
    cosines = np.sort(vectors.astype(np.float64) @ queries.astype(np.float64).T, axis=0)
    # Rounding decides between equals and at the limit.
    assume(np.all(np.diff(cosines, axis=0) > 1e-6) and np.all(np.abs(cosines - min_score) > 1e-6))
    own = [f"d{n % max(documents, 1):02d}" for n in range(asked)]
    found = library(vectors).nearest(queries, own, count, min_score, include_own)
    assert found == [
        by_brute_force(vectors, query, name, count, min_score, include_own)
        for query, name in zip(queries, own, strict=True)
    ]


@pytest.mark.parametrize("include_own", [True, False])
def test_an_own_document_on_top_takes_no_others_place(include_own: bool) -> None:
    vectors = unit_vectors(np.random.default_rng(1), 20)
    (near,) = library(vectors).nearest(vectors[7:8], ["d07"], 3, -1.0, include_own)
    assert len(near) == 3
    assert (near[0][0] == "d07") is include_own


def test_equal_documents_come_in_the_order_of_their_ids() -> None:
    vectors = np.repeat(unit_vectors(np.random.default_rng(2), 1), SPARE + 2, axis=0)
    shuffled = Library(ids := [f"d{place}" for place in (5, 2, 4, 0, 3, 1)], ids, library(vectors).index).nearest(
        vectors[:1], ["d0"], 2, 0.0, False
    )
    assert shuffled == [[("d1", "d1"), ("d2", "d2")]]


def test_a_document_at_the_limit_is_found() -> None:
    vectors = np.array([[1, 0, 0, 0], [0.5, 0.5, 0.5, 0.5]], np.float32)
    shelf = library(vectors)
    assert [name for name, _ in shelf.nearest(vectors[:1], ["none"], 2, 0.5, False)[0]] == ["d00", "d01"]
    assert [name for name, _ in shelf.nearest(vectors[:1], ["none"], 2, 0.51, False)[0]] == ["d00"]


@given(st.integers(0, 2**32), st.integers(1, 9))
def test_a_query_finds_the_same_alone_and_among_others(seed: int, asked: int) -> None:
    rng = np.random.default_rng(seed)
    vectors, queries = unit_vectors(rng, 40), unit_vectors(rng, asked)
    own = [f"d{place:02d}" for place in range(asked)]
    shelf = library(vectors)
    together = shelf.nearest(queries, own, 3, 0.0, False)
    alone = [shelf.nearest(queries[n : n + 1], own[n : n + 1], 3, 0.0, False)[0] for n in range(asked)]
    assert together == alone


@pytest.mark.parametrize("documents", [0, 1, 2])
def test_fewer_documents_than_wanted(documents: int) -> None:
    vectors = unit_vectors(np.random.default_rng(3), documents)
    (near,) = library(vectors).nearest(unit_vectors(np.random.default_rng(4), 1), ["other"], 5, -1.0, False)
    assert len(near) == documents


def test_the_search_is_exact_for_ten_times_as_many_documents_as_the_graph_has() -> None:
    vectors = unit_vectors(np.random.default_rng(8), 40)
    assert is_exact(40, exact_below=4)
    assert not is_exact(41, exact_below=4)
    found = library(vectors, exact_below=4).nearest(vectors, ["none"] * 40, 40, -1.0, False)
    assert {len(near) for near in found} == {40}


def test_inverted_lists_find_what_is_there_with_its_own_text() -> None:
    vectors = unit_vectors(np.random.default_rng(5), 60)
    shelf = library(vectors, exact_below=1)
    found = shelf.nearest(vectors, ["none"] * 60, 1, 0.9, False)
    assert found == [[(f"d{place:02d}", f"text of d{place:02d}")] for place in range(60)]


@pytest.mark.parametrize("documents", [1, 5, 13, 16])
def test_few_documents_are_found_through_inverted_lists_too(documents: int) -> None:
    vectors = unit_vectors(np.random.default_rng(6), documents)
    found = library(vectors, exact_below=0).nearest(vectors, ["none"] * documents, 1, 0.9, False)
    assert [name for ((name, _),) in found] == [f"d{place:02d}" for place in range(documents)]
