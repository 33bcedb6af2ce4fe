from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanno_core.text import normalise


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\r\nb\rc\x0cd\u2028e", "a\nb\nc\nd\ne"),
        ("a \u200b\n\n\n\n b\u202e\x00\ud800\ue000\U000f0000 ", "a\n\n b"),
        ("e\u200d\u0301 \U0001d538\t\u00a0x", "é \U0001d538\t\u00a0x"),
        ("", ""),
    ],
)
def test_only_wanted_characters_stay(text: str, expected: str):
    assert normalise(text) == expected


@given(st.text(st.characters(exclude_categories=[])))
def test_normalise_is_nfc_encodable_and_done_after_one_pass(text: str):
    clean = normalise(text)
    assert normalise(clean) == clean
    assert unicodedata.is_normalized("NFC", clean)
    clean.encode()
    assert all(c in "\n\t" or unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co"} for c in clean)
