"""Runs of words: found in whatever case, punctuation and white space, and no shorter ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanno_core.decontamination import ngrams
from fanno_core.decontamination.ngrams import compared_words, ngram_hashes

N = 13
GAPS = st.text(alphabet=" \t\n.,;:!?()[]{}\"'`*_-—…“”/|#>", min_size=1, max_size=4)
PLANTED = [f"planted{chr(ord('a') + place)}" for place in range(N)]
OTHERS = st.lists(st.sampled_from(["Fluß", "élan", "сад", "node", "7", "x86"]), max_size=30)


def shares(text: str, other: str, n: int = N) -> bool:
    """Whether two texts share a run of n words."""
    here, there = (ngram_hashes([compared_words(each)], n)[0] for each in (text, other))
    return bool(np.isin(here, there).any())


@st.composite
def planted(draw: st.DrawFn, count: int) -> str:
    """So many of the planted words, in their order, within others: each in some case, with some marks between."""
    cases = st.sampled_from([str.upper, str.lower, str.title])
    words = [*draw(OTHERS), *PLANTED[:count], *draw(OTHERS)]
    return "".join(draw(cases)(word) + draw(GAPS) for word in words)


@given(planted(N), planted(N))
def test_a_planted_run_is_found_in_any_case_and_between_any_marks(text: str, benchmark: str) -> None:
    here, there = (ngram_hashes([compared_words(each)], N)[0] for each in (text, benchmark))
    (run,) = ngram_hashes([PLANTED], N)[0]
    assert run in here and run in there


@given(planted(N - 1))
def test_a_run_one_word_shorter_is_not(text: str) -> None:
    assert not shares(text, f"Here are {' '.join(PLANTED)}, in full.")


def test_compatibility_forms_are_one() -> None:
    assert compared_words("ﬁve Ｎｉｎｅ STRASSE") == compared_words("Five nine straße")


def test_the_order_of_words_counts() -> None:
    assert not shares(" ".join(PLANTED), " ".join([PLANTED[1], PLANTED[0], *PLANTED[2:]]))


def test_runs_stay_within_their_text() -> None:
    hashes, owners = ngram_hashes([["a", "b"], ["c"], ["d", "e", "f"], []], 2)
    assert owners.tolist() == [0, 2, 2]
    assert set(hashes.tolist()) == {int(ngram_hashes([pair.split()], 2)[0][0]) for pair in ("a b", "d e", "e f")}


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [[f"w{place % 7}" for place in range(length)] for length in (5, 0, 9, 3, 12)]
    whole = ngram_hashes(texts, 3)
    monkeypatch.setattr(ngrams, "BLOCK_TEXTS", 2)
    for one, other in zip(whole, ngram_hashes(texts, 3), strict=True):
        assert one.tolist() == other.tolist()


def test_hashes_are_the_same_in_every_process() -> None:
    # They are compared within one process only; what is rejected may still not hang on PYTHONHASHSEED.
    assert ngram_hashes([["two", "words"]], 2)[0].tolist() == [0x4304881ED5B5FBB8]
