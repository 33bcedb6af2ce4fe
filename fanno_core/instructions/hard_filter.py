"""Instructions that cannot stand alone, by their wording: no model is asked.

`legacy` is FANNO's published rule: ASCII only, and keywords as substrings. On 2,000 Alpaca and 1,000 Dolly
instructions it drops 687 (22.9%); for 159 of them the only keyword is "name", for 20 one that stands inside a longer
word, as in "know", "context" and "reference". `word` keeps what the rule is for: an instruction must not lean on a
text that its reader cannot see, nor on the day when it was written. It drops 128 of the same rows (4.3%) when it is
told which have an input, and 321 (10.7%) when it is not. Its patterns were written with these rows in view, so on
others it may do worse.
"""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Literal

from fanno_core.machine_talk import REFUSAL, leaks_prompt, orders_in
from fanno_core.text import repeated_share, words_of

Mode = Literal["word", "legacy"]

MIN_WORDS = 5
"""Shorter instructions must end a sentence. Source: FANNO's published code, as all of `legacy`."""

KEYWORDS = (
    *("based on", "according", "given", "mentioned", "refer", "provided", "passage", "text", "paragraph"),
    *("recent", "current", "now", "today", "yesterday", "tomorrow", "soon", "upcoming", "recently", "coming"),
    *("currently", "name"),
)
"""The published keywords."""

SOURCE = r"(?:text|passage|paragraph|document|article|excerpt)s?"
THE = r"(?:the|this|that|these|those)"

# What `word` looks for in place of the keywords. In brackets: how many of the 3,000 instructions hold the whole word,
# and why that is not enough.
LEANS_ON_SOURCE = (
    # text (64), passage (24), paragraph (39): "write a paragraph about" and "text message" lack nothing
    rf"{THE} (?:(?!of\b|following\b)[\w'’-]+ ){{0,2}}?{SOURCE}(?! (?:message|editor|file|field|box)s?)(?! below)",
    rf"(?:given|provided|above) {SOURCE}",
    # mentioned (3): all three point at a text
    r"mentioned",
    # according (11): "according to the type of organism" lacks nothing
    r"according to (?:the )?(?:author|narrator|speaker|writer)",
    r"(?:the above|(?:described|discussed|given|listed|provided|shown|stated) (?:above|earlier))",
)
LEANS_ON_INPUT = (
    # These point at the input where there is one. following (330) is not a published keyword
    rf"(?:the )?following {SOURCE}",
    rf"(?:{THE} )?(?:[\w-]+ )?{SOURCE} below",
    r"(?:given|listed|provided|shown|written) (?:below|here)",
    # given (286, 276 with an input): "given that", "a given day" lack nothing
    rf"{THE} (?:given|provided)(?! names?\b)",
    # provided (15): "services provided by", "provided that" lack nothing
    r"you(?: are|['’]re| have been) (?:given|provided)",
    # based on (29): "based on a book", "based on the word 'envy'" lack nothing
    rf"based on {THE} (?:data|description|details|evidence|facts|information|input|statements?)",
)
LEANS_ON_TODAY = (
    # recent (7), recently (1), currently (2): hold for some months
    r"recent|recently|currently",
    # current (6): electric currents do not pass
    r"current (?:affairs|date|day|events?|government|members?|month|news|pandemic|president|prime minister|prices?"
    r"|situation|time|trends?|weather|week|year)",
    # now (3), today (6), tomorrow (1), yesterday (1), soon (1), coming (3): "in today's world", "as soon as possible",
    # "coming up with" and the tomorrow of a story lack nothing
    r"(?:right|just|from|as of) now",
    r"(?:today|tomorrow|yesterday)['’]s (?:date|forecast|headlines?|news|prices?|weather)",
    rf"{THE} coming (?:days?|months?|season|weeks?|years?)",
    # upcoming (3): "the upcoming film" is one that only the writer knows
    rf"{THE} upcoming",
    # refer (1) and name (161) are gone: what they stood for is found by its noun, as in "refer to the passage"
)


def _any_of(*groups: tuple[str, ...]) -> str:
    return "|".join(pattern.replace(" ", r"\s+") for group in groups for pattern in group)


REPEATED_WORDS, MAX_REPETITION = 4, 0.5
"""Share of repeated word 4-grams above which an instruction is a loop, as for responses."""
FAULT = re.compile(r"(?:\w*error|exception|traceback[^\n:]*):", re.IGNORECASE)
ANSWERED = re.compile(r"[\s*_#]*(?:answer|response|output|solution)[*_]*:", re.IGNORECASE)
FENCED = re.compile(r"\A```\w*\s*(.*?)\s*```\Z", re.DOTALL)
LEGACY = re.compile("|".join(map(re.escape, KEYWORDS)), re.IGNORECASE)
WORD = re.compile(
    rf"\b(?:(?P<input>{_any_of(LEANS_ON_INPUT)})|{_any_of(LEANS_ON_SOURCE, LEANS_ON_TODAY)})\b", re.IGNORECASE
)


def hard_reason(instruction: str, mode: Mode, input: str = "") -> str | None:  # noqa: A002 - a row's field
    """Why the instruction is dropped, or None.

    `legacy`: `empty`, `not_ascii`, `too_short`, `refers_to_source`, `few_letters`. `word` knows no `not_ascii`, and
    drops what is no instruction at all: `refusal`, `leaks_prompt`, `orders` (it speaks to a model), `not_prose`,
    `holds_answer`, `repetition`.

    Args:
        instruction: what is asked, without its input.
        mode: `legacy` is the published rule. `word` takes whole words and phrases, letters of every script,
            and compares letters with what is neither letter nor space.
        input: the text that the instruction works on, or empty.
            Where there is one, `word` lets "the following text" pass.

    Source: `Evaluator.hard_filter` of FANNO's published code, for `legacy`.
    """
    return _legacy_reason(instruction) if mode == "legacy" else _word_reason(instruction.strip(), input)


def _legacy_reason(instruction: str) -> str | None:
    if not instruction:
        return "empty"
    if not instruction.isascii():
        return "not_ascii"
    if len(instruction.split()) < MIN_WORDS and instruction[-1] not in ".?":
        return "too_short"
    if LEGACY.search(instruction):
        return "refers_to_source"
    letters = sum(map(str.isalpha, instruction))
    return "few_letters" if letters < len(instruction) - letters else None


def _word_reason(instruction: str, given: str) -> str | None:
    if not instruction:
        return "empty"
    if reason := _machine_reason(instruction, given):
        return reason
    if _is_too_short(instruction, given):
        return "too_short"
    if any(not (given and match["input"]) for match in WORD.finditer(instruction)):
        return "refers_to_source"
    letters = sum(map(_is_letter, instruction))
    others = sum(not character.isspace() for character in instruction) - letters
    return "few_letters" if letters < others else None


def _machine_reason(instruction: str, given: str) -> str | None:
    """Why these are not words that a person would say to an assistant, or None."""
    if REFUSAL.match(instruction):
        return "refusal"
    text = f"{instruction}\n{given}"
    if leaks_prompt(text):
        return "leaks_prompt"
    if orders_in(text):
        return "orders"
    if _is_data(instruction) or FAULT.match(instruction):
        return "not_prose"
    if ANSWERED.match(given):
        return "holds_answer"
    return "repetition" if repeated_share(words_of(instruction), REPEATED_WORDS) > MAX_REPETITION else None


def _is_data(instruction: str) -> bool:
    """Whether all of it is a JSON object or list, fenced or not."""
    bare = FENCED.sub(r"\1", instruction)
    if bare[:1] not in ("{", "["):
        return False
    try:
        return isinstance(json.loads(bare), dict | list)
    except (ValueError, RecursionError):
        return False


def _is_too_short(instruction: str, given: str) -> bool:
    """Few words that end no sentence, or one word alone, such as "Yes."; other scripts may put no spaces."""
    words = instruction.split()
    if len(words) == 1 and not given and instruction.isascii():
        return True
    return len(words) < MIN_WORDS and not instruction.rstrip("\"'”’»)*").endswith(tuple(".?!。？！؟।"))


def _is_letter(character: str) -> bool:
    return unicodedata.category(character)[0] in "LM"  # marks are the vowels of many scripts
