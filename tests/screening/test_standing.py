from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fanno_core.errors import ContractBroken
from fanno_core.refresh.contracts import Sketch
from fanno_core.screening.duplicates import drop_duplicates
from fanno_core.screening.standing import Standing, join
from fanno_core.settings import Screen
from fanno_core.store.contracts import Document, Rejection
from fanno_core.store.tables import to_table
from tests.screening.web_mix import web_mix


def document(name: str, first: int, last: int) -> Document:
    """A text of numbered words: two share what their numbers share."""
    return Document(name, " ".join(f"word{n}" for n in range(first, last)), source=f"source of {name}", location="")


@dataclass
class Index:
    """What the nights carry, as objects."""

    screen: Screen = field(default_factory=Screen)
    documents: dict[str, Document] = field(default_factory=dict)
    sketches: dict[str, Sketch] = field(default_factory=dict)
    standing: set[str] = field(default_factory=set)
    rejections: dict[str, Rejection] = field(default_factory=dict)
    read: list[str] = field(default_factory=list)

    def night(self, *new: Document, gone: Collection[str] = ()) -> Standing:
        """Joins, and applies the outcome: first what is gone, then what is new."""
        table = to_table(list(self.sketches.values()), Sketch)
        outcome = join(new, gone, table, self._documents_of, self.screen)
        for name in gone:
            self.documents.pop(name, None)
            self.rejections.pop(name, None)
        self.documents |= {row.id: row for row in new}
        assert outcome.fallen <= self.standing
        self.standing = self.standing - {*gone} - outcome.fallen
        assert self.standing.isdisjoint(outcome.kept)
        self.standing |= {*outcome.kept}
        for name in outcome.gone_rejections:
            del self.rejections[name]
        assert self.rejections.keys().isdisjoint(row.id for row in outcome.rejected)
        self.rejections |= {row.id: row for row in outcome.rejected}
        for name in outcome.gone_sketches:
            del self.sketches[name]
        self.sketches |= {row.id: row for row in outcome.sketches}
        return outcome

    def _documents_of(self, ids: Collection[str]) -> list[Document]:
        self.read += ids
        return [self.documents[name] for name in ids]

    def is_that_of_a_full_run(self) -> None:
        full = drop_duplicates(list(self.documents.values()), self.screen)
        assert self.standing == {row.id for row in full.kept}
        assert self.rejections == {row.id: row for row in full.rejected}
        assert self.sketches.keys() == self.documents.keys()
        assert {name for name, row in self.sketches.items() if not row.repeats} == self.standing


def test_the_longest_copy_leaves_and_the_next_one_stands():
    index = Index()
    index.night(document("a", 0, 100), document("b", 0, 98), document("c", 0, 96))
    assert index.standing == {"a"}

    outcome = index.night(gone=["a"])

    assert outcome.kept == ("b",)
    assert outcome.gone_rejections == {"b", "c"}
    assert [(row.id, row.reason, row.detail) for row in outcome.rejected] == [
        ("c", "near_duplicate", "repeats b (0.98)"),
    ]
    index.is_that_of_a_full_run()


def test_a_longer_copy_takes_the_place_of_the_one_that_stood():
    index = Index()
    index.night(document("b", 0, 98))

    outcome = index.night(document("a", 0, 100))

    assert (outcome.kept, outcome.fallen) == (("a",), {"b"})
    (rejection,) = outcome.rejected
    assert (rejection.id, rejection.source, rejection.text) == ("b", "source of b", document("b", 0, 98).text)


def test_what_a_document_in_the_middle_of_a_chain_kept_out_stands_when_that_falls():
    """a~b and b~c, but not a~c: without a, b stands and c does not; with a, b does not and c stands."""
    index = Index(Screen(near_duplicate=0.9))
    a, b, c = document("a", 0, 107), document("b", 4, 110), document("c", 8, 113)
    index.night(b, c)
    assert index.standing == {"b"}

    outcome = index.night(a)

    assert (set(outcome.kept), outcome.fallen) == ({"a", "c"}, {"b"})
    index.is_that_of_a_full_run()
    assert set(index.night(gone=["a"]).kept) == {"b"}
    index.is_that_of_a_full_run()


def test_an_exact_copy_steps_in_for_the_one_that_left():
    index = Index()
    copies = [document("a", 0, 100), replace(document("b", 0, 100), text=document("", 0, 100).text.upper())]
    index.night(*copies, document("c", 0, 98))
    assert index.rejections["b"].reason == "exact_duplicate"

    assert index.night(gone=["a"]).kept == ("b",)
    index.is_that_of_a_full_run()


def test_what_repeats_a_document_that_becomes_a_copy_is_looked_at_again():
    """c repeated b; now B is the same as b and comes before it, but repeats a, which c does not."""
    index = Index(Screen(near_duplicate=0.9))
    a, b, c = document("a", 0, 107), document("b", 4, 110), document("c", 8, 113)
    index.night(b, c)

    outcome = index.night(a, replace(b, id="B"))

    assert (set(outcome.kept), outcome.fallen) == ({"a", "c"}, {"b"})
    index.is_that_of_a_full_run()


def test_the_same_document_comes_again():
    index = Index()
    index.night(document("a", 0, 100), document("b", 0, 98))

    outcome = index.night(document("a", 0, 100), gone=["a"])

    assert (outcome.kept, outcome.fallen, outcome.rejected, outcome.gone_sketches) == (("a",), set(), (), set())
    index.is_that_of_a_full_run()


def test_only_what_may_be_a_copy_is_read():
    index = Index()
    index.night(*(document(f"{n}", n * 1000, n * 1000 + 50) for n in range(20)))

    index.night(document("new", 3000, 3049), gone=["7"])

    assert index.read == ["3"]


def test_nothing_new_changes_nothing():
    index = Index()
    assert index.night() == Standing((), frozenset(), (), frozenset(), (), frozenset())
    index.night(document("a", 0, 100), document("b", 0, 98))

    assert index.night(gone=["unknown"]) == Standing((), frozenset(), (), frozenset(), (), frozenset())


def test_an_index_of_another_threshold_is_refused():
    index = Index()
    index.night(document("a", 0, 100))
    index.screen = Screen(near_duplicate=0.3)

    with pytest.raises(ContractBroken, match="other settings"):
        index.night(document("b", 0, 100))


SPANS = st.builds(
    lambda number, first, length: document(f"d{number:02}", first, first + length),
    st.integers(0, 14),
    st.integers(0, 6),
    st.integers(8, 24),
)
NIGHTS = st.lists(
    st.tuples(
        st.lists(SPANS, max_size=6, unique_by=lambda row: row.id), st.sets(st.integers(0, 14).map("d{:02}".format))
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=60, deadline=None)
@given(NIGHTS, st.sampled_from([0.4, 0.6, 0.8]))
def test_after_every_night_there_stands_what_a_full_run_keeps(nights: list, threshold: float):
    index = Index(Screen(near_duplicate=threshold))
    for new, gone in nights:
        index.night(*new, gone={*gone, *(row.id for row in new)})
        index.is_that_of_a_full_run()


def test_a_real_corpus_that_comes_and_goes_in_nights_stands_as_in_a_full_run():
    documents = web_mix(600)
    random = Random(6)
    index = Index()
    index.night(*documents[:300])
    for n in range(300, 600, 100):
        index.night(*documents[n : n + 100], gone=random.sample(sorted(index.documents), 60))
    index.is_that_of_a_full_run()
    assert index.rejections


@pytest.mark.slow
def test_100_changes_to_32_000_documents_take_a_moment(capsys: pytest.CaptureFixture[str]):
    random = Random(7)
    words = [f"{random.getrandbits(40):x}" for _ in range(20_000)]
    index = Index()
    index.night(*(Document(f"{n:05}", " ".join(random.choices(words, k=120)), "", "") for n in range(32_000)))
    gone = [f"{n:05}" for n in range(100)]
    new = [Document(f"n{name}", index.documents[name].text + " and more", "", "") for name in gone]
    table = to_table(list(index.sketches.values()), Sketch)
    start = time.process_time()

    outcome = join(new, gone, table, index._documents_of, index.screen)

    took_s = time.process_time() - start
    with capsys.disabled():
        print(f"\n32,000 sketches with 100 changes: {took_s:.2f} s of processor time")
    assert len(outcome.kept) == 100
    assert took_s < 3
