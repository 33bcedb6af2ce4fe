from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanno_core.documents.segments import segments

TEXTS = st.text(alphabet=st.sampled_from('ab.!?") \n\t\u3000\u00e9\U0001d538AZ'), max_size=400) | st.text(max_size=200)
LENGTHS = st.integers(1, 80)


@given(TEXTS, LENGTHS, LENGTHS)
def test_nothing_but_white_space_is_lost(text: str, longest: int, shortest: int):
    pieces = segments(text, longest, shortest)
    assert "".join("".join(pieces).split()) == "".join(text.split())
    assert all(0 < len(piece) <= longest and piece == piece.strip() for piece in pieces)


@given(st.lists(st.text("abcé.", min_size=1, max_size=9), max_size=60), st.sampled_from([" ", "\n", "\n\n"]), LENGTHS)
def test_words_are_cut_only_if_they_are_too_long(words: list[str], between: str, shortest: int):
    pieces = segments(between.join(words), 10, shortest)
    assert " ".join(pieces).split() == words


@given(TEXTS, LENGTHS)
def test_a_text_that_fits_stays_whole(text: str, shortest: int):
    assert segments(text, 400, shortest) == ([text.strip()] if text.strip() else [])


def test_cuts_come_after_paragraphs_then_sentences_then_words():
    first, second = "One thought. “Another one.” A third", "The end of it is here."
    assert segments(f"{first}\n \n{second}", 40, 1) == [first, second]
    assert segments(f"{first}\n\n{second}", 30, 1) == ["One thought. “Another one.”", "A third", second]
    assert segments("a line that\nis broken here", 20, 1) == ["a line that", "is broken here"]
    assert segments("abcdefghij", 4, 1) == ["abcd", "efgh", "ij"]


def test_short_paragraphs_are_joined_to_the_shortest_length():
    paragraphs = ["a" * 30, "b" * 30, "c" * 90, "d" * 10, "e" * 80, "f" * 5]
    pieces = segments("\n\n".join(paragraphs), 100, 50)
    assert [len(piece) for piece in pieces] == [62, 90, 99]
    assert pieces[2] == "\n\n".join(paragraphs[3:])


@pytest.mark.parametrize("unit", ["word ", "A sentence. ", "x", "\n", "\n ", ".) ", '."', " ", "a\n\n"])
def test_time_is_linear(unit: str):
    text = (unit * 4_000_000)[:4_000_000]
    start = time.process_time()
    segments(text, 2400, 350)
    assert time.process_time() - start < 8
