from __future__ import annotations

import numpy as np
import pytest

from fanno_core.communities.representatives import choose_representatives
from fanno_core.settings import Communities
from fanno_core.store.contracts import Document, Floats
from tests.communities.test_partition import blobs


def corpus(count: int = 60, centres: int = 6) -> tuple[list[Document], Floats]:
    vectors, _ = blobs(count, centres)
    documents = [
        Document(f"{i:016x}", f"text {i}", "here", str(i), words=10 + (i * 7) % 50, quality=0.9) for i in range(count)
    ]
    return documents, vectors


def test_one_document_stands_for_each_community_and_the_others_say_for_whom() -> None:
    documents, vectors = corpus()
    outcome = choose_representatives(documents, vectors, Communities(), "longer", seed=1)
    assert len(outcome.kept) == 6
    assert {row.community for row in outcome.kept} == {row.id for row in outcome.kept}
    assert sum(row.community_size for row in outcome.kept) == 60
    assert outcome.reasons == {"represented": 54}
    assert {r.detail for r in outcome.rejected} == {f"community {row.id}" for row in outcome.kept}


@pytest.mark.parametrize(("prefer", "sign"), [("longer", -1), ("shorter", 1)])
def test_after_the_central_document_length_decides(prefer: str, sign: int) -> None:
    documents, vectors = corpus()
    outcome = choose_representatives(documents, vectors, Communities(per_community=4), prefer, seed=1)
    for community in {row.community for row in outcome.kept}:
        ranked = sorted((row for row in outcome.kept if row.community == community), key=lambda row: row.rank)
        assert ranked[0].id == community
        lengths = [sign * row.words for row in ranked[1:]]
        assert lengths == sorted(lengths)


def test_distinctive_documents_are_kept_unless_they_are_asked_to_go() -> None:
    documents, vectors = corpus(40, 4)
    lonely = np.eye(32, dtype=np.float32)[:1]
    documents = [*documents, Document("f" * 16, "alone", "here", "0", words=20)]
    vectors = np.concatenate([vectors, lonely])
    kept = choose_representatives(documents, vectors, Communities(), "none", 1).kept
    assert "f" * 16 in {row.id for row in kept}
    dropped = choose_representatives(documents, vectors, Communities(min_size=2), "none", 1)
    assert {r.id: r.reason for r in dropped.rejected}["f" * 16] == "small_community"
    fast = choose_representatives(documents, vectors, Communities(partition="fast", min_size=2), "none", 1)
    assert {r.id: r.reason for r in fast.rejected}["f" * 16] == "small_community"
    assert fast.candidates == 41


def test_topics_take_turns_in_the_queue() -> None:
    documents, vectors = corpus(60, 6)
    kept = choose_representatives(documents, vectors, Communities(per_community=3), "longer", 1).kept
    queue = sorted(kept, key=lambda row: row.order)
    topics = {row.topic for row in kept}
    assert [row.order for row in queue] == list(range(len(kept)))
    assert {row.topic for row in queue[: len(topics)]} == topics


def test_order_of_documents_does_not_matter() -> None:
    documents, vectors = corpus()
    once = choose_representatives(documents, vectors, Communities(), "longer", 1)
    again = choose_representatives(documents, vectors, Communities(), "longer", 1)
    assert once.kept == again.kept
    assert once.rejected == again.rejected
