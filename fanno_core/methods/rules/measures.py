"""What rules count and find in a text, and whether it can be counted without doubt.

Where two ways to count differ, such as with abbreviations for sentences, no rule is drawn that needs the count: a
requirement that one reader finds kept and another one not would be worse than none.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

from fanno_core.tagger import textblob
from fanno_core.text import words_of

Span = tuple[int, int]
BULLET = re.compile(r"^[ \t]*(?:\d{1,3}[.)](?!\d)[ \t]*|[-*][ \t]+|•[ \t]*)(?=\S)", re.MULTILINE)
PARAGRAPH_GAP = re.compile(r"\n\s*\n")
SENTENCE_GAP = re.compile(r"[.!?][^\w\s]*(\s+)")
LINE_END = re.compile(r"[.!?][^\w\s]*$")
NEW_SENTENCE = re.compile(r"[^\w\s]*[A-Z0-9]")
UNCLEAR = re.compile(
    r"\.\.|…|\b(?:[a-z]|mr|mrs|ms|dr|st|jr|sr|vs|etc|inc|ltd|co|corp|no|nos|prof|gen|sen|rep|gov|capt|lt|col|mt|ft|approx"
    r"|dept|est|al|fig|cf|ca|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec|vol|pp|ed|eds|ave|blvd|rd)\.[^\w\s]*\s",
    re.IGNORECASE,
)
"""Full stops that may or may not end a sentence."""
RUN = re.compile(r"\w+")
TAGS = {"adjective": "JJ", "noun": "NN", "verb": "VB"}


def word_count(text: str) -> int:
    """Runs without white space that hold a letter or a digit."""
    return sum(1 for part in text.split() if any(character.isalnum() for character in part))


def words_are_clear(text: str) -> bool:
    """Whether words within slashes, dashes or numbers leave no doubt about how many there are."""
    return word_count(text) == len(words_of(text)) > 0


def letter_count(text: str) -> int:
    """Letters of any alphabet."""
    return sum(map(str.isalpha, text))


def character_count(text: str) -> int:
    """Characters that are no white space."""
    return sum(map(len, text.split()))


def tagged_count(kind: str) -> Callable[[str], int]:
    """A function that counts a text's adjectives, nouns (with names) or verbs, by TextBlob's tagger."""

    def count(text: str) -> int:
        # Capitals would make names of words, and rules of case come and go.
        tags = textblob().parser.find_tags([word.lower() for word in words_of(text)])
        return sum(1 for _, tag in tags if tag.startswith(TAGS[kind]))

    return count


def content_words(text: str) -> list[str]:
    """The different adjectives, nouns and verbs of a text as they stand there, by their entry in TextBlob's lexicon.

    Left out are short words, those with other letters than a to z, and those of which a reader may find another number:
    words that stand there with and without a capital, or also as part of a longer word with a dash or an apostrophe.
    """
    found = words_of(text)
    forms = {word.lower(): word for word in found}
    with_case, without_case = Counter(found), Counter(word.lower() for word in found)
    with_parts = Counter(RUN.findall(text.lower()))
    lexicon = textblob().parser.lexicon
    return [
        form
        for word, form in sorted(forms.items())
        if len(word) > 2
        and word.isascii()
        and word.isalpha()
        and lexicon.get(word, "NN")[:2] in TAGS.values()
        and with_case[form] == without_case[word] == with_parts[word]
    ]


def whole_word(word: str) -> re.Pattern[str]:
    """What finds a word, in any case, where it is no part of another."""
    return re.compile(rf"(?<!\w){re.escape(word)}(?!\w)", re.IGNORECASE)


def occurrences(word: str, text: str) -> int:
    """How often a word stands in a text, in any case."""
    return len(whole_word(word).findall(text))


def sentence_spans(text: str) -> list[Span]:
    """Where each sentence begins and ends, without the white space between them; case plays no part."""
    spans, start = [], len(text) - len(text.lstrip())
    for gap in SENTENCE_GAP.finditer(text):
        if gap.end() < len(text):
            spans.append((start, gap.start(1)))
            start = gap.end()
    return [*spans, (start, len(text.rstrip()))] if text.strip() else []


def sentences_are_clear(text: str) -> bool:
    """Whether it is prose in which each line ends a sentence and each full stop does, or is inside a word."""
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    return (
        bool(lines)
        and not BULLET.search(text)
        and not UNCLEAR.search(f"{text} ")
        and all(LINE_END.search(line) for line in lines)
        and all(NEW_SENTENCE.match(text, gap.end()) for gap in SENTENCE_GAP.finditer(text.rstrip()))
    )


def paragraph_spans(text: str) -> list[Span]:
    """Where each paragraph begins and ends; blank lines stand between them."""
    spans, start = [], len(text) - len(text.lstrip())
    end = len(text.rstrip())
    for gap in PARAGRAPH_GAP.finditer(text, start, end):
        spans.append((start, gap.start()))
        start = gap.end()
    return [*spans, (start, end)] if end > start else []


def paragraphs_are_clear(text: str) -> bool:
    """Whether every line is a paragraph."""
    return len(paragraph_spans(text)) == sum(1 for line in text.splitlines() if line.strip())


def bullet_spans(text: str) -> list[Span]:
    """Where the text of each bullet point begins and ends, without its mark: `1.`, `1)`, `-`, `*` or `•`."""
    ends = ((mark.end(), text.find("\n", mark.end())) for mark in BULLET.finditer(text))
    found = [(start, len(text) if end < 0 else end) for start, end in ends]
    return [(start, start + len(text[start:end].rstrip())) for start, end in found]
