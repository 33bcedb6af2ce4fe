"""Why an evolved instruction or its response is eliminated: Evol-Instruct's rules, each a reason code.

The paper has four: nothing new by an equality verdict, a short response with `sorry`, a response of punctuation and
stop words, wording of the prompt that leaked. The others are this project's filters, which cost nothing either.

Source: Xu et al. 2023, arXiv 2304.12244; the published code has none of them.
"""

from __future__ import annotations

import re

from fanno_core.methods.wording import talk_fault
from fanno_core.teachers.protocol import Answer, finish_fault
from fanno_core.teachers.verdict import UNREADABLE, read_verdict
from fanno_core.text import words_of

LEAK = re.compile(
    r"\b(?:given|rewritten|re-written|evolved|created) (?:prompt|instruction)s?\b"
    r"|#(?:the )?(?:given|rewritten|created|new) prompt#",
    re.IGNORECASE,
)
"""Wording of prompts that ask for an evolved instruction: the published ones, and ours."""
SORRY = re.compile(r"\bsorry\b", re.IGNORECASE)
EQUAL_FROM = 0.5
_STOP_WORDS = """
a about above after again all also am an and any are as at be because been before being below between both but by can
could did do does doing down during each few for from further had has have having he her here hers him his how i if in
into is it its just me more most my no nor not now of off on once only or other our ours out over own same she should
so some such than that the their theirs them then there these they this those through to too under until up very was
we were what when where which while who whom why will with would you your yours
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())


def attempt_fault(before: str, after: str, min_words: int, max_words: int) -> str:
    """Why an evolved instruction is eliminated without asking anybody; empty where it stands.

    Args:
        before: the instruction that it came from, with its input.
        after: the evolved one, with its input.
        min_words: how long it must be.
        max_words: how long it may be.
    """
    if not words_of(after):
        return "empty"
    # A row that speaks of prompts itself may go on doing so.
    leaks = LEAK.search(after) and not LEAK.search(before)
    if reason := "leaks_prompt" if leaks else talk_fault(after):
        return reason
    if _plain(after) == _plain(before):
        return "unchanged"
    count = len(after.split())
    if count < min_words:
        return "too_short"
    return "too_long" if count > max_words else ""


def equality_fault(answer: Answer) -> tuple[str, str]:
    """Why an evolved instruction is eliminated after the equality verdict, and what was measured; empty if it stands.

    Where the verdict cannot be read it does not stand.
    """
    if answer.finish != "length" and (reason := finish_fault(answer)):
        return reason, ""
    probability = read_verdict(answer)
    if probability is None:
        return UNREADABLE, ""
    return ("equal", f"{probability:.3f}") if probability >= EQUAL_FROM else ("", "")


def empty_talk_fault(response: str, sorry_words: int) -> str:
    """Why a response says nothing: a short apology, or nothing but punctuation and stop words; empty if it does."""
    if SORRY.search(response) and len(response.split()) < sorry_words:
        return "sorry"
    return "" if {word.lower() for word in words_of(response)} - STOP_WORDS else "stop_words"


def _plain(text: str) -> list[str]:
    return words_of(text.lower())
