"""Which segments are worth a second look: length, language, letters, repetition, boilerplate.

Covered: what can be measured without a teacher. Not covered: quality, advertisements and privacy (`verdicts.py`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from math import ceil

from fanno_core.machine_talk import orders_in
from fanno_core.outcome import Outcome
from fanno_core.screening.language import languages_of
from fanno_core.screening.licences import licence_fault
from fanno_core.settings import Screen
from fanno_core.store.contracts import Document, Rejection
from fanno_core.text import repeated_share, words_of

BULLET = re.compile(r"^(?:[-*+•>#]+|\d{1,3}[.)])\s+")
LINK = re.compile(r"(?:https?://|www\.)[^\s<>\])]+")
BADGE = re.compile(
    r"(?:\[?!\[[^\]]{0,200}\]\([^)]{0,500}\)(?:\]\([^)]{0,500}\))?\s*)+|<img\b[^>]{0,500}>|<badge>", re.I
)
MENU_SEPARATOR = re.compile(r"\s*[|·•»›]\s*")
MENU_ITEM = re.compile(
    r"(?:home|menu|search|share(?: this)?|print|tweet|rss(?: feed)?|faqs?|help|site ?map|table of contents"
    r"|about(?: us)?|(?:contact|e-?mail|follow)(?: us)?(?: on \w+)?|log ?(?:in|out)|sign ?(?:in|up|out)|register"
    r"|subscribe|skip to (?:main )?content|back to top|(?:read|learn|see|show|view) (?:more|all)"
    r"|(?:next|previous|older|newer)(?: (?:page|posts?|article))?|(?:related|recent|popular) (?:posts|articles|links)"
    r"|leave a (?:comment|reply)|join our community|contribute on github|powered by .{1,30})\W*",
    re.I,
)
NOTICE = re.compile(
    r"^copyright\W*$|©|\bcopyright (?:\(c\)|\d{4})|\ball rights reserved\b|\bplaced in the public domain\b"
    r"|\buses? cookies\b|\b(?:accept|reject|manage) (?:all )?cookies\b|\bcookie (?:policy|settings|notice)\b"
    r"|^(?:privacy (?:policy|notice)|terms (?:of (?:use|service)|(?:and|&) conditions)|disclaimer|imprint)\W*$"
    r"|\bunsubscribe\b|\b(?:subscribe to|sign up for) (?:our|the|my) .{0,40}newsletter\b",
    re.I,
)
LONGEST_NOTICE = 30
"""A line of more words that names cookies or copyright is an article about them."""

LINE_CHARS = 100
"""A paragraph counts as so many lines as it would fill; else two links would outvote the page above them."""


def apply_rules(documents: Sequence[Document], settings: Screen) -> Outcome[Document]:
    """The documents that pass every rule, in their order, with `words` and `language` filled in.

    The first rule that fails gives the reason: `licence_unknown`, `licence_not_allowed`, `too_short`, `too_long`,
    `language`, `few_letters`, `repetition`, `boilerplate`, `orders` (it speaks to a model). The detail
    is what was measured.
    """
    kept, rejected = [], []
    languages = languages_of([document.text for document in documents])
    for document, (language, probability) in zip(documents, languages, strict=True):
        words = words_of(document.text)
        fault = (
            licence_fault(document.licence, settings)
            or _length_fault(len(words), settings)
            or _language_fault(language, probability, settings)
            or _content_fault(document.text, words, settings)
        )
        if fault:
            reason, detail = fault
            rejected.append(
                Rejection(document.id, "rules", reason, detail, document.id, document.source, document.text)
            )
        else:
            kept.append(replace(document, words=len(words), language=language))
    return Outcome(kept, rejected, candidates=len(documents))


def letter_share(text: str) -> float:
    """Share of letters and of the marks that belong to letters among non-space characters, in [0, 1]; 0 if empty."""
    letters = spaces = 0
    for character in text:
        if character.isalpha() or (character > "\u02ff" and unicodedata.category(character).startswith("M")):
            letters += 1
        elif character.isspace():
            spaces += 1
    return letters / max(1, len(text) - spaces)


def repetition(text: str, words: Sequence[str]) -> float:
    """The larger of two shares in [0, 1]: characters in repeated lines, repeated word 5-grams.

    Source: after MassiveText's (Gopher's) repetition rules, arXiv 2112.11446, table A1, as quoted by datatrove:
    at most 0.30 of the lines, 0.20 of the characters in repeated lines, 0.15 of those in repeated 5-grams. One
    limit serves here for both, and a looser one, since a segment is far shorter than a web page.
    """
    return max(_repeated_line_share(text), repeated_share([word.casefold() for word in words], 5))


def boilerplate_share(text: str) -> float:
    """Share of lines that are menu items, bare links, badges or legal notes, in [0, 1]; 0 for no lines.

    Lines are those of the text; one of prose counts once for each `LINE_CHARS` characters begun.
    """
    boilerplate = prose = 0
    for line in _lines(text):
        if _is_boilerplate(line):
            boilerplate += 1
        else:
            prose += ceil(len(line) / LINE_CHARS)
    return boilerplate / max(1, boilerplate + prose)


def _length_fault(words: int, settings: Screen) -> tuple[str, str] | None:
    if words < settings.min_words:
        return "too_short", f"{words} words"
    if words > settings.max_words:
        return "too_long", f"{words} words"
    return None


def _language_fault(language: str, probability: float, settings: Screen) -> tuple[str, str] | None:
    if not settings.languages or language in settings.languages:
        return None
    return "language", f"{language or 'none'} {probability:.2f}"


def _content_fault(text: str, words: Sequence[str], settings: Screen) -> tuple[str, str] | None:
    if (letters := letter_share(text)) < settings.min_letters:
        return "few_letters", f"{letters:.2f}"
    if (repeated := repetition(text, words)) > settings.max_repetition:
        return "repetition", f"{repeated:.2f}"
    if (boilerplate := boilerplate_share(text)) > settings.max_boilerplate:
        return "boilerplate", f"{boilerplate:.2f}"
    if kind := orders_in(text):
        return "orders", kind
    return None


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _repeated_line_share(text: str) -> float:
    seen: set[str] = set()
    repeated = total = 0
    for line in _lines(text):
        total += len(line)
        if line in seen:
            repeated += len(line)
        seen.add(line)
    return repeated / max(1, total)


def _is_boilerplate(line: str) -> bool:
    line = BULLET.sub("", line)
    if BADGE.fullmatch(line) or _is_menu(line) or _is_bare_link(line):
        return True
    return NOTICE.search(line) is not None and len(line.split()) <= LONGEST_NOTICE


def _is_menu(line: str) -> bool:
    """A known menu item alone, or three and more short items between bars; a row of a table starts with its bar."""
    if MENU_ITEM.fullmatch(line):
        return True
    items = MENU_SEPARATOR.split(line)
    return len(items) >= 3 and all(item and len(item.split()) <= 3 for item in items)


def _is_bare_link(line: str) -> bool:
    """More than half of the line's characters are addresses."""
    addresses = sum(len(address) for address in LINK.findall(line))
    return addresses > len(line) - addresses
