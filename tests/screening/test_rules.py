from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanno_core.screening.rules import apply_rules, boilerplate_share, letter_share, repetition
from fanno_core.settings import Screen
from fanno_core.store.contracts import Document
from fanno_core.text import words_of
from tests.screening.web_mix import web_mix

GOOD = (
    "Bees find their way home by the sun, and on cloudy days by the polarised light of the sky. A forager that has "
    "found a meadow in bloom dances on the comb, and the angle of her run against the vertical tells her sisters "
    "where to fly, while its length tells them how far they have to go."
)
GERMAN = (
    "Bienen finden den Weg nach Hause mit Hilfe der Sonne und an trüben Tagen mit dem polarisierten Licht des "
    "Himmels. Eine Sammlerin, die eine blühende Wiese gefunden hat, tanzt auf der Wabe, und der Winkel ihres Laufs "
    "zeigt den Schwestern, wohin sie fliegen müssen und wie weit es ist."
)
TABLE = "Yearly harvest in tonnes and price in euro of the region\n" + "\n".join(
    f"{year} wheat {year * 7 % 977} 12.{year % 100} 88 7 19 2031 - 44.5 % 3 991" for year in range(1990, 2000)
)
MENU = (
    "Home\nAbout us\nContact\nLog in\nSign up\nRead more\n© 2020 Acme Inc. All rights reserved.\n"
    + GOOD[:90]
    + ("\nThis site uses cookies to learn how its readers find their way through the many pages that it has.")
)


def document(text: str) -> Document:
    return Document(id="d1", text=text, source="here", location="1")


@pytest.mark.parametrize(
    ("text", "reason", "detail"),
    [
        ("Too few words to learn from.", "too_short", "6 words"),
        (" ".join([GOOD] * 50), "too_long", f"{50 * len(words_of(GOOD))} words"),
        (GERMAN, "language", "de 1.00"),
        (TABLE, "few_letters", "0.24"),
        ("\n".join([GOOD] * 2), "repetition", "0.50"),
        (MENU, "boilerplate", "0.89"),
    ],
)
def test_the_first_rule_that_fails_gives_the_reason(text, reason, detail):
    outcome = apply_rules([document(text)], Screen())

    (rejection,) = outcome.rejected
    assert (rejection.phase, rejection.reason, rejection.detail) == ("rules", reason, detail)
    assert (rejection.id, rejection.document_id, rejection.source, rejection.text) == ("d1", "d1", "here", text)


def test_a_kept_document_carries_its_words_and_language():
    (kept,) = apply_rules([document(GOOD)], Screen()).kept

    assert (kept.words, kept.language, kept.text) == (len(words_of(GOOD)), "en", GOOD)


def test_no_languages_named_keeps_every_language():
    assert [d.language for d in apply_rules([document(GERMAN)], Screen(languages=())).kept] == ["de"]


def test_limits_themselves_are_kept():
    words = len(words_of(GOOD))

    assert apply_rules([document(GOOD)], Screen(min_words=words, max_words=words)).kept


@given(st.lists(st.sampled_from([GOOD, GERMAN, TABLE, MENU, "", "\n", "?"])))
def test_every_document_is_kept_in_order_or_rejected(texts):
    documents = [Document(id=str(row), text=text, source="", location="") for row, text in enumerate(texts)]

    outcome = apply_rules(documents, Screen())

    assert sorted([row.id for row in [*outcome.kept, *outcome.rejected]]) == sorted(d.id for d in documents)
    assert [d.id for d in outcome.kept] == [d.id for d in documents if d.text == GOOD]


@given(st.text())
def test_measures_of_any_text_are_shares(text):
    for share in (letter_share(text), repetition(text, words_of(text)), boilerplate_share(text)):
        assert 0 <= share <= 1


@pytest.mark.parametrize(("text", "share"), [("ab 12", 0.5), ("", 0), ("हिन्दी", 1), ("日本", 1), ("_-_", 0)])
def test_letters_of_every_script_count(text, share):
    assert letter_share(text) == share


@pytest.mark.parametrize(
    ("text", "share"),
    [("a b c\nx y z", 0), ("same line\nsame line\nother one", 1 / 3), ("a b c d e A B C D E", 1 / 6), ("", 0)],
)
def test_repetition_is_the_larger_of_lines_and_5_grams(text, share):
    assert repetition(text, words_of(text)) == pytest.approx(share, abs=0.01)


@pytest.mark.parametrize(
    "line",
    [
        "Home | News | About us | Contact",
        "- Read more",
        "Skip to main content",
        "Related posts",
        "https://example.org/a/long/address?with=query",
        "[pm]: https://example.org/issues/151 [calendar]: https://example.org/calendar",
        "* [build](https://example.org/builds/project/badge/latest)",
        "![build status](https://img.example.org/build.svg)",
        "[![build](https://img.example.org/build.svg)](https://ci.example.org/project)",
        "Copyright (c) 2019 Acme Inc.",
        "We use cookies: this site uses cookies to improve your visit.",
        "Privacy Policy",
        "This document is placed in the public domain or under the CC0-1.0-Universal license.",
        "Click here to unsubscribe",
    ],
)
def test_boilerplate_is_seen(line):
    assert boilerplate_share(line) == 1


@pytest.mark.parametrize(
    "line",
    [
        GOOD,
        "Motivation",
        "| name | colour | size |",
        "2 eggs",
        "The user agent sends cookies back to the server that set them.",
        "The Digital Millennium Copyright Act discusses the use of media on the web.",
        "Navigate to the page of your agency, such as https://example.org, and choose one of the reports.",
        "int | str",
    ],
)
def test_content_is_not_boilerplate(line):
    assert boilerplate_share(line) == 0


def test_a_long_paragraph_outweighs_the_links_below_it():
    assert boilerplate_share(f"{GOOD}\nReferences\nhttps://example.org/one\nhttps://example.org/two") < 0.5


def test_most_of_the_real_corpus_passes():
    outcome = apply_rules(web_mix(1000), Screen())

    assert 0.9 < len(outcome.kept) / outcome.candidates < 1
    assert {"too_short", "language"} <= set(outcome.reasons)
