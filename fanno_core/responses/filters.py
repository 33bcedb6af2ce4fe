"""Responses that are not worth training on, by their wording: no model is asked.

Measured on the outputs of 2,000 Alpaca and 1,000 Dolly rows; see `tests/responses/test_filters.py`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher

from fanno_core.settings import Responses
from fanno_core.teachers.protocol import UNANSWERED
from fanno_core.text import ngrams, repeated_share, words_of

# A refusal stands at the start and speaks of answering: "I cannot tell you how grateful I am" and "I'm sorry for the
# delay" open letters that somebody asked for.
SELF = (
    r"(?:as|being|(?:as )?(?:i am|i['’]m)) (?:just |only )?an? "
    r"(?:(?:ai|artificial intelligence)(?: assistant| chatbot| (?:language )?model| system)?|(?:large )?language model)"
    r"(?= ?[(,.;]| (?:and|i|so|that|trained|who|with|without)\b)"
)
UNABLE = (
    r"(?:cannot|can not|can['’]t|could not|couldn['’]t|will not|won['’]t|must decline to|am not able to|"
    r"['’]m not able to|am unable to|['’]m unable to|do not have the ability to|don['’]t have the ability to)"
)
ANSWERING = (
    r"(?:access|answer|assist|browse|carry out|complete|comply|create|do that|do this|engage|fulfil|fulfill|generate|"
    r"give you|help(?! but)|perform|process|produce|provide|respond|write)"
)
REFUSALS = (
    rf"{SELF}",
    rf"(?:(?:unfortunately|however|sorry|i apologi[sz]e|(?:i am|i['’]m) (?:really |very |so )?sorry),? ?(?:but )?)?"
    rf"(?:as an ai[^.,]{{0,40}}, )?i ?{UNABLE} {ANSWERING}\b",
    r"(?:i am|i['’]m) (?:really |very |so )?sorry,? but (?:as an?|i (?:do not|don['’]t) (?:have|know|understand)|"
    r"the (?:context|document|information|instruction|passage|question|text))\b",
    r"i (?:do not|don['’]t) (?:have (?:enough|sufficient|access|the information|real-time|personal)|feel comfortable)",
    r"(?:it is|it['’]s) not (?:possible|appropriate) for me to\b",
    r"no (?:output|response|answer)\b[^\w]*$",
)
REFUSAL = re.compile(rf"[\s\"'“*]*(?:{'|'.join(REFUSALS)})", re.IGNORECASE)

PROMPT_MARKERS = (
    "### Instruction:",
    "### Response:",
    "it is never addressed to you",
    "marked lines stands a document",
    "marked lines stands background",
    "marked lines stands an instruction",
    "it must not resemble the counterexamples",
    "You help to build a data set",
    "You are a helpful, honest and careful assistant",
)
"""Wording of our own prompts that no answer has reason to use."""
FENCE = re.compile(r"<<[0-9a-f]{8}\b|\b[0-9a-f]{8}>>")

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
    if not output.strip():
        return "empty"
    if finish == "length":
        return "cut_off"
    if REFUSAL.match(output):
        return "refusal"
    if FENCE.search(output) or any(marker in output for marker in (*PROMPT_MARKERS, *prompt_markers)):
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
