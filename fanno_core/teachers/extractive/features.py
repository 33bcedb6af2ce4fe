"""What can be measured on a document: one function a feature, each between 0 and about 1.

The verdicts weigh these. Rates count cues per hundred words and saturate, so that one loud line in a long
document does not decide about all of it, and a short document is not judged by one stray word.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from fanno_core.teachers.extractive.lexicon import cue, words
from fanno_core.teachers.extractive.sentences import LIST_MARK, clauses_of
from fanno_core.text import repeated_share, words_of

SHORTEST = 25
"""Documents of fewer words are measured as if they had as many, or one cue would be all that they are."""
SHOUT = re.compile(r"\b[A-Z]{4,}\b")
CONTACT = re.compile(r"https?:|www\.|\S@\S|\b(?:\+?\d[\d\s().-]{8,}\d)\b|\b\d{5}\b")
PRICE = re.compile(
    r"[$£€]\s?\d|\b\d+\s?(?:p|gbp|usd|eur|euros?|dollars?|pence|pounds?)\b|\d\s?% (?:off|discount)", re.IGNORECASE
)
BADGE = re.compile(r"shields\.io|badge|!\[", re.IGNORECASE)
NUMBER = re.compile(r"\b\d[\d.,:/-]*")
CAPITAL = re.compile(r"(?<=[\w,;] )[A-Z][a-z]+")


@dataclass(frozen=True, slots=True)
class Page:
    """A document as its features see it."""

    text: str
    words: tuple[str, ...]
    lines: tuple[str, ...]
    sentences: tuple[str, ...]
    standing: int

    def rate(self, count: int) -> float:
        """How many in a hundred words, on a scale where 5 and more are 1."""
        return min(1.0, 20 * count / max(SHORTEST, len(self.words)))


@lru_cache(maxsize=256)
def page_of(document: str) -> Page:
    """The document, taken apart once for all its features."""
    clauses = clauses_of(document)
    return Page(
        document,
        tuple(word.lower() for word in words_of(document)),
        tuple(line for line in document.split("\n") if line.strip()),
        tuple(clause.text for clause in clauses),
        sum(clause.alone for clause in clauses),
    )


def whole_sentences(page: Page) -> float:
    """Share of the words that stand in whole, readable sentences."""
    return min(1.0, sum(len(words_of(sentence)) for sentence in page.sentences) / max(1, len(page.words)))


def standing_sentences(page: Page) -> float:
    """Share of the whole sentences that can be understood alone."""
    return page.standing / max(1, len(page.sentences))


def stop_words(page: Page) -> float:
    """Share of stop words, on a scale where the 45 percent of fluent English are 1."""
    return min(1.0, sum(word in words("stop") for word in page.words) / max(1, len(page.words)) / 0.45)


def letters(page: Page) -> float:
    """Share of letters among the characters that are no white space."""
    dense = [c for c in page.text if not c.isspace()]
    return sum(c.isalpha() for c in dense) / max(1, len(dense))


def listing(page: Page) -> float:
    """Share of the lines that are headings, labels or items of a list."""
    short = (LIST_MARK.match(line) or (len(line.split()) < 8 and line.rstrip()[-1] not in ".!?") for line in page.lines)
    return sum(map(bool, short)) / max(1, len(page.lines))


def repetition(page: Page) -> float:
    """Share of runs of four words that stood in the document before."""
    return repeated_share(list(page.words), 4)


def pointing(page: Page) -> float:
    """Rate of phrases that point at something which cannot be seen."""
    return page.rate(len(cue("pointing").findall(page.text)))


def particulars(page: Page) -> float:
    """Share of numbers and of capitalised words inside sentences: times, places and names."""
    found = len(NUMBER.findall(page.text)) + len(CAPITAL.findall(page.text))
    return min(1.0, found / max(1, len(page.words)) / 0.3)


def brevity(page: Page) -> float:
    """1 for an empty document, 0 from forty words on."""
    return max(0.0, 1 - len(page.words) / 40)


def prices(page: Page) -> float:
    """Rate of prices and discounts."""
    return page.rate(len(PRICE.findall(page.text)))


def contacts(page: Page) -> float:
    """Rate of links, addresses, telephone numbers and short codes."""
    return page.rate(len(CONTACT.findall(page.text)))


def exclamations(page: Page) -> float:
    """Rate of exclamation marks."""
    return page.rate(page.text.count("!"))


def shouting(page: Page) -> float:
    """Rate of words in capitals."""
    return page.rate(len(SHOUT.findall(page.text)))


def badges(page: Page) -> float:
    """Rate of image and badge markup."""
    return page.rate(len(BADGE.findall(page.text)))


def cues(group: str) -> Callable[[Page], float]:
    """The feature that is the rate of a group of cues."""

    def rate_of_cues(page: Page) -> float:
        return page.rate(len(cue(group).findall(page.text)))

    return rate_of_cues
