"""Responses that are not worth training on, by their wording: no model is asked.

Measured on the outputs of 2,000 Alpaca and 1,000 Dolly rows; see `tests/responses/test_filters.py`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher

from fanno_core.machine_talk import PROMPT_MARKERS, REFUSAL, leaks_prompt
from fanno_core.settings import Responses
from fanno_core.teachers.protocol import UNANSWERED
from fanno_core.text import ngrams, repeated_share, words_of

__all__ = ["PROMPT_MARKERS", "response_reason"]

NGRAM = 4
MIN_LINES = 4
"""Fewer lines are never too repetitive: a chorus may come twice."""
# Twenty times the same thing on end, up to 31 characters long: also where a script puts no spaces between words.
# It starts with a letter or digit, since rows of dashes and dots are tables and blanks to fill in.
LOOP = re.compile(r"([^\W_].{0,30}?)\1{19,}", re.DOTALL)
COMMAND_WORDS = 3
"""First words of an instruction, which a copy has and an edit of a text in the instruction has not."""
MIN_COPY_WORDS = 8
"""A shorter output may equal the input: a choice among words, a sentence that needs no correction."""


def response_reason(
    output: str,
    finish: str,
    instruction: str,
    input: str,  # noqa: A002 - a row's field
    settings: Responses,
    prompt_markers: Sequence[str] = (),
) -> str | None:
    """Why a response is dropped, or None.

    `prompt_too_long`, `request_refused`, `empty`, `cut_off`, `refusal`, `leaks_prompt`, `repetition`,
    `copies_instruction` or `copies_input`, the first that holds in this order.

    Args:
        output: the response.
        finish: how the teacher stopped, as in `Answer.finish`.
        instruction: what was asked.
        input: the text that the instruction works on, or empty.
        settings: limits of repetition and copying.
        prompt_markers: further wording that must not stand in a response; upper and lower case differ.
    """
    if finish in UNANSWERED:
        return UNANSWERED[finish]
    if not any(character.isprintable() and not character.isspace() for character in output):
        return "empty"
    if finish == "length":
        return "cut_off"
    if REFUSAL.match(output):
        return "refusal"
    if leaks_prompt(output) or any(marker in output for marker in prompt_markers):
        return "leaks_prompt"
    if _repeats(output, settings.max_repetition):
        return "repetition"
    if len(output.split()) >= MIN_COPY_WORDS and output.split() == input.split():
        return "copies_input"
    return "copies_instruction" if _copies(output, instruction, settings.max_copy) else None


def _repeats(output: str, limit: float) -> bool:
    """Whether words, lines or characters come again and again."""
    if repeated_share(words_of(output.lower()), NGRAM) > limit or LOOP.search(output):
        return True
    lines = [line.strip() for line in output.splitlines() if words_of(line)]
    return len(lines) >= MIN_LINES and max(Counter(lines).values()) > max(limit * len(lines), MIN_LINES - 1)


def _copies(output: str, instruction: str, limit: float) -> bool:
    """Whether the response is the instruction again.

    An instruction may hold the text that it works on ("Correct the grammar: ..."), and a good answer then holds most
    of it too, but not the command. So a copy also has the instruction's first words.
    """
    said, asked = words_of(output.lower()), words_of(instruction.lower())
    command = tuple(asked[:COMMAND_WORDS])
    if command not in ngrams(said, len(command)):
        return False
    matcher = SequenceMatcher(None, said, asked, autojunk=False)
    return matcher.real_quick_ratio() > limit and matcher.ratio() > limit
