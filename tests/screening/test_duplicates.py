from __future__ import annotations

from collections import defaultdict
from itertools import combinations
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanno_core.screening.duplicates import LEAST_RECALL, bands_for, drop_duplicates, jaccard, shingles_of
from fanno_core.settings import Screen
from fanno_core.store.contracts import Document
from tests.screening.web_mix import web_mix


def document(name: str, text: str) -> Document:
    return Document(id=name, text=text, source="", location="")


def numbered(first: int, last: int) -> str:
    return " ".join(f"word{n}" for n in range(first, last))


def test_the_same_text_but_for_case_and_space_is_an_exact_duplicate():
    outcome = drop_duplicates([document("b", "One  two\nTHREE"), document("a", "one two three")], Screen())

    assert [d.id for d in outcome.kept] == ["a"]
    (rejection,) = outcome.rejected
    assert (rejection.id, rejection.phase, rejection.reason) == ("b", "duplicates", "exact_duplicate")
    assert rejection.detail == "repeats a (1.00)"
    assert rejection.text == "One  two\nTHREE"


def test_a_doubled_id_is_an_exact_duplicate_and_the_longer_text_stays():
    outcome = drop_duplicates([document("a", "short"), document("a", "much longer text")], Screen())

    assert [d.text for d in outcome.kept] == ["much longer text"]
    assert outcome.reasons == {"exact_duplicate": 1}


@pytest.mark.parametrize(("words", "reasons"), [(20, {"near_duplicate": 1}), (19, {})])
def test_the_threshold_is_exact(words, reasons):
    """24 words are 20 5-grams; a beginning of 20 words shares 16 of them, which is 0.8, and one of 19 words 0.75."""
    outcome = drop_duplicates([document("part", numbered(0, words)), document("whole", numbered(0, 24))], Screen())

    assert outcome.reasons == reasons
    assert [r.detail for r in outcome.rejected] == ["repeats whole (0.80)"] * len(reasons)


def test_a_row_that_repeats_only_a_rejected_row_stays():
    """b repeats a and c repeats b, but c does not repeat a."""
    a, b, c = (document(name, numbered(n, n + 104)) for n, name in enumerate("abc"))
    near = jaccard(shingles_of(a.text), shingles_of(b.text))
    far = jaccard(shingles_of(a.text), shingles_of(c.text))

    outcome = drop_duplicates([c, b, a], Screen(near_duplicate=(near + far) / 2))

    assert [d.id for d in outcome.kept] == ["c", "a"]


def test_short_texts_are_compared_as_wholes():
    documents = [document("a", "Hello, world!"), document("b", "hello world"), document("c", "hello there")]

    assert [d.id for d in drop_duplicates(documents, Screen()).kept] == ["a", "c"]


def test_texts_without_words_are_told_apart():
    documents = [document("a", "!!!"), document("b", "???"), document("c", ""), document("d", "???")]

    assert [d.id for d in drop_duplicates(documents, Screen()).kept] == ["a", "b", "c"]


@given(st.data())
def test_the_order_of_the_input_changes_nothing(data):
    spans = st.tuples(st.integers(0, 6), st.integers(8, 30), st.sampled_from("abcdef"))
    rows = [document(name, numbered(*span)) for *span, name in data.draw(st.lists(spans, max_size=12))]
    shuffled = data.draw(st.permutations(rows))

    one, other = (drop_duplicates(order, Screen(near_duplicate=0.5)) for order in (rows, shuffled))

    assert sorted((d.id, d.text) for d in one.kept) == sorted((d.id, d.text) for d in other.kept)
    assert sorted((r.id, r.text, r.detail) for r in one.rejected) == sorted(
        (r.id, r.text, r.detail) for r in other.rejected
    )
    places = [rows.index(d) for d in one.kept]
    assert places == sorted(places)


@given(st.floats(0.05, 1))
def test_bands_find_a_pair_at_the_threshold(threshold):
    bands, rows = bands_for(threshold)

    assert bands >= 2
    assert 1 - (1 - threshold**rows) ** bands >= LEAST_RECALL


def test_at_least_99_in_100_pairs_at_the_threshold_are_found():
    """500 pairs, each alone: 24 words and the first 20 of them, whose similarity is exactly 0.8."""
    random = Random(4)
    found = 0
    for _ in range(500):
        words = [f"{random.getrandbits(40):x}" for _ in range(24)]
        pair = [document("whole", " ".join(words)), document("part", " ".join(words[:20]))]
        found += drop_duplicates(pair, Screen()).reasons == {"near_duplicate": 1}

    assert found >= 0.99 * 500


def test_what_stays_of_the_real_corpus_is_what_brute_force_keeps():
    documents = web_mix(2000)

    outcome = drop_duplicates(documents, Screen())

    assert {d.id for d in outcome.kept} == _kept_by_brute_force(documents, 0.8)
    assert outcome.reasons["near_duplicate"] > 0


def _kept_by_brute_force(documents: list[Document], threshold: float) -> set[str]:
    """Greedy over every pair that shares a 5-gram, in the order of the queue."""
    shingles = {d.id: shingles_of(d.text) for d in documents}
    holders = defaultdict(list)
    for name, grams in shingles.items():
        for gram in grams:
            holders[gram].append(name)
    pairs = {pair for names in holders.values() for pair in combinations(sorted(names), 2)}
    near = defaultdict(set)
    for one, other in pairs:
        if jaccard(shingles[one], shingles[other]) >= threshold:
            near[one].add(other)
            near[other].add(one)
    kept: set[str] = set()
    for row in sorted(documents, key=lambda d: (-len(d.text.split()), d.id)):
        if not near[row.id] & kept:
            kept.add(row.id)
    return kept
