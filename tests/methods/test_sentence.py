from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanno_core.methods.sentence import Sentence

SHAPES = {"left": ".{1,20}?", "right": ".{1,20}?", "count": r"\d+"}


@given(st.text("abc$<>|{}.*\\", min_size=1, max_size=9), st.text("xyz$[]{}", min_size=1, max_size=9))
def test_what_was_written_is_read_back(left: str, right: str) -> None:
    sentence = Sentence("Between $left and $right (both).", SHAPES)
    values = {"left": left, "right": right}
    assert sentence.read(sentence.write(values)) == values


def test_another_sentence_reads_as_none() -> None:
    sentence = Sentence("Skip $count of them.", SHAPES)
    assert sentence.read("Skip two of them.") is None
    assert sentence.read("Skip 2 of them. Now.") is None


def test_a_series_of_sentences_is_read_in_order() -> None:
    sentence = Sentence("a $count", SHAPES)
    assert sentence.read_each("a 1, a 20 and a 3") == [{"count": "1"}, {"count": "20"}, {"count": "3"}]


def test_a_missing_value_is_refused() -> None:
    with pytest.raises(KeyError):
        Sentence("Skip $count.", SHAPES).write({})
