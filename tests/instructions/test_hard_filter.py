import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanno_core.instructions.hard_filter import KEYWORDS, hard_reason
from tests.shared_data import shared, shared_rows


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    return shared_rows("alpaca_sample_2000.jsonl") + shared_rows("dolly_filtered_1000.jsonl")


def test_legacy_equals_the_original(rows: list[dict[str, str]]):
    golden = json.loads(shared("golden/fanno_hard_filter_kept_ids.json").read_text(encoding="utf-8"))
    assert [row["id"] for row in rows if hard_reason(row["instruction"], "legacy") is None] == golden["kept"]


def test_word_keeps_what_substrings_drop_for_nothing(rows: list[dict[str, str]]):
    dropped = [row for row in rows if hard_reason(row["instruction"], "word", row["input"])]
    assert 100 <= len(dropped) <= 160  # 128 when it was written; legacy drops 687
    assert sum(not row["input"] for row in dropped) <= 45  # 40 when it was written


@pytest.mark.parametrize(
    ("instruction", "legacy", "word"),
    [
        ("", "empty", "empty"),
        (" \n", "too_short", "empty"),
        ("Describe the café culture of Vienna.", "not_ascii", None),
        ("日本の首都はどこですか？", "not_ascii", None),
        ("भारत की राजधानी कौन सी है?", "not_ascii", None),
        ("Write a poem", "too_short", "too_short"),
        ("Write a poem.", None, None),
        ("Write a poem!", "too_short", None),
        ('Define "love."', "too_short", None),
        ("Name three rivers of Europe.", "refers_to_source", None),
        ("How do people know what they prefer?", "refers_to_source", None),
        ("Explain how a caterpillar is becoming a moth.", "refers_to_source", None),
        ("Put Rome into its historical context.", "refers_to_source", None),
        ("Given that x is even, is x + 2 even?", "refers_to_source", None),
        ("What electric current flows through the wire?", "refers_to_source", None),
        ("Write a paragraph about the sea.", "refers_to_source", None),
        ("According to the passage, why did he leave?", "refers_to_source", "refers_to_source"),
        ("Why does the given\ntext praise the king?", "refers_to_source", "refers_to_source"),
        ("Who are the two people mentioned above?", "refers_to_source", "refers_to_source"),
        ("What is the main point of this short article?", None, "refers_to_source"),
        ("Who is the current president of France?", "refers_to_source", "refers_to_source"),
        ("What is 3 * (4 + 5) / 6 - 7 + 8 ?", "few_letters", "few_letters"),
        ("a b c, d e f g h i?", "few_letters", None),
    ],
)
def test_reasons(instruction: str, legacy: str | None, word: str | None):
    assert hard_reason(instruction, "legacy") == legacy
    assert hard_reason(instruction, "word") == word


@pytest.mark.parametrize(
    ("instruction", "allowed"),
    [
        ("Summarise the following text in one sentence.", True),
        ("Name the feeling that the sentence given below expresses.", True),
        ("Translate the text below into French.", True),
        ("You are given two numbers; add them up.", True),
        ("Summarise the passage in one sentence.", False),
        ("According to the author, which is true?", False),
        ("Who is the current president of these?", False),
    ],
)
def test_an_input_is_something_to_point_at(instruction: str, allowed: bool):
    assert hard_reason(instruction, "word") == "refers_to_source"
    assert hard_reason(instruction, "word", input="It rained.") == (None if allowed else "refers_to_source")


@given(st.sampled_from(KEYWORDS), st.text("abc ", max_size=8), st.text("abc ", max_size=8))
def test_legacy_finds_every_keyword_anywhere(keyword: str, before: str, after: str):
    assert hard_reason(f"Please tell me about {before}{keyword.upper()}{after}.", "legacy") == "refers_to_source"


@given(st.text())
def test_word_mode_never_drops_for_the_script(instruction: str):
    assert hard_reason(instruction, "word") != "not_ascii"
