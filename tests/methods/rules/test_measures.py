from __future__ import annotations

import pytest

from fanno_core.methods.rules.measures import (
    bullet_spans,
    content_words,
    paragraph_spans,
    paragraphs_are_clear,
    sentence_spans,
    tagged_count,
    words_are_clear,
)


def parts(text: str, spans: list[tuple[int, int]]) -> list[str]:
    return [text[start:end] for start, end in spans]


def test_sentences() -> None:
    text = ' He said "Go." Then (at 3.5 km) he went!\n\n<<So it is.>> yes? '
    assert parts(text, sentence_spans(text)) == ['He said "Go."', "Then (at 3.5 km) he went!", "<<So it is.>>", "yes?"]
    assert sentence_spans("") == []


def test_paragraphs() -> None:
    text = "\none\nline\n \n\ntwo\n"
    assert parts(text, paragraph_spans(text)) == ["one\nline", "two"]
    assert not paragraphs_are_clear(text)
    assert paragraphs_are_clear("one\n\ntwo")


@pytest.mark.parametrize(
    ("text", "bullets"),
    [
        ("1. a\n2) b \n - c\n* d\n•e", ["a", "b", "c", "d", "e"]),
        ("1.a\n3.5 km\n-5 degrees\n*so*\n2020. Then\n-", ["a"]),
        ("", []),
    ],
)
def test_bullets(text: str, bullets: list[str]) -> None:
    assert parts(text, bullet_spans(text)) == bullets


def test_content_words_stand_alone_and_in_one_form() -> None:
    text = "The well-known Dog's dog. Ships, ship, a Cat and a cat, the 2nd é-mail of mail, DNA"
    assert content_words(text) == ["DNA", "ship", "Ships"]


def test_words_within_words_are_not_clear() -> None:
    assert words_are_clear("It's a well-known fact.")
    assert not words_are_clear("1,000 and/or more")
    assert not words_are_clear("?!")


def test_parts_of_speech_do_not_depend_on_case() -> None:
    text = "The quick brown fox sees a lazy dog in Berlin"
    for kind, count in (("adjective", 3), ("noun", 3), ("verb", 1)):
        assert tagged_count(kind)(text) == tagged_count(kind)(text.upper()) == count
