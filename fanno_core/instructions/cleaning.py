"""A teacher's answer to an instruction and, where it has one, its input.

FANNO's published code cuts at the first line feed, so that a chatty opening becomes the instruction and a
question of several lines loses all but its first. The default mode drops the wrappers that chat models put around
an answer, and nothing else.
"""

from __future__ import annotations

import re
from typing import Literal

Mode = Literal["default", "published"]

NOUN = r"(?:instruction|question|task|prompt|query|request|problem)"
OPENER = (
    r"(?:(?:sure(?: thing)?|certainly|of course|absolutely|okay|alright|no problem)\b[!,.]*\s+"
    r"|i(?:['’]d| would) be (?:happy|glad) to help[^\n.!:]*[.!]\s+)"
)
# An announcement ends its line, or its noun stands right before the colon: "Here is a question about x: y" on one
# line may itself be what is asked. A plural or an "of" ("here is a list of tasks:") announces data, not an instruction.
ANNOUNCEMENT = (
    r"(?:here(?:['’]s| is)|below is) (?:an?|one|my|your|the) (?:(?!of\b)[\w-]+ ){0,4}?"
    rf"{NOUN}(?::|\b[^\n:]*:[ \t]*(?=\n))|here you go[:!.]"
)
PREAMBLES = (
    re.compile(rf"{OPENER}*(?:{ANNOUNCEMENT})", re.IGNORECASE),
    re.compile(r"(?:sure(?: thing)?|certainly|of course|absolutely)[!.:]+(?=\s)", re.IGNORECASE),
    re.compile(r"i(?:['’]d| would) be (?:happy|glad) to help[^\n.!:]*[.!](?=\s)", re.IGNORECASE),
)
LABEL = re.compile(
    rf"(?:\#{{1,6}}[ \t]*)?(?:\*\*{NOUN}(?: \d+)?(?::\*\*|\*\*[ \t]*(?::|(?=\n)))|{NOUN}(?: \d+)?(?::|[ \t]*(?=\n)))",
    re.IGNORECASE,
)
INPUT_LABEL = re.compile(
    r"^[ \t]*(?:\#{1,6}[ \t]*)?(?:\*\*input(?::\*\*|\*\*[ \t]*(?::|(?=\n)))|\#{1,6}[ \t]*input[ \t]*(?=\n)|input:)",
    re.IGNORECASE | re.MULTILINE,
)
NO_INPUT = re.compile(r"[\[(<]?(?:none|n/a|no\s?input|not applicable)[\])>]?\.?", re.IGNORECASE)
# A fence that names a programming language holds code, which is content and not a wrapper.
FENCE = re.compile(r"```(?:text|txt|markdown|md|plaintext)?[ \t]*\n((?:(?!```).)*)```", re.DOTALL | re.IGNORECASE)
CLOSERS = r"[\"'”’»)\]*_`]*\s*$"
FINISHED = re.compile(rf"[.?!:…。？！：]{CLOSERS}")
COMPLETE = re.compile(rf"[?:？：]{CLOSERS}")
ASKED = re.compile(rf"[?？]{CLOSERS}")
DANGLING = re.compile(
    r"(?:[,;–—-]|\b(?:an?|about|and|as|at|between|by|for|from|if|in|into|is|of|on|or|than|that|the|through|to|with))\s*$",
    re.IGNORECASE,
)
LINE_END = re.compile(r"\r\n?|[\v\f\x1c-\x1e\x85\u2028\u2029]")
# Control characters, byte order marks, what turns the direction of writing around, and halves of surrogate pairs,
# which no file can hold. Joiners stay: some scripts need them.
UNSEEN = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\u200b\u2060\ufeff\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
QUOTES = (('"', '"'), ("“", "”"), ("«", "»"))


def clean_instruction(answer: str, mode: Mode = "default") -> tuple[str, str]:
    """The instruction and its input in an answer; either may be empty.

    Args:
        answer: what the teacher wrote.
        mode: `published` strips asterisks, quotes and line feeds at both ends and cuts at the first line feed.
            `default` drops preambles, labels, fences, bold marks and quotes around the whole; then the input starts
            at its label, or else after the first line at whose end a sentence or a paragraph is over. No word is lost
            but those of a dropped preamble or label; control characters are.

    Source: `instruction_cleaning` of FANNO's published code, for `published`.
    """
    if mode == "published":
        return _published(answer)
    text = _unwrapped(UNSEEN.sub("", LINE_END.sub("\n", answer)))
    label = INPUT_LABEL.search(text)
    instruction, given = (text[: label.start()], text[label.end() :]) if label else _split(text)
    given = given.strip()
    return _unwrapped(instruction), "" if NO_INPUT.fullmatch(given) else given


def _published(answer: str) -> tuple[str, str]:
    instruction, _, given = answer.strip('*"\n').strip().partition("\n")
    return instruction.strip(), given.strip()


def _unwrapped(text: str) -> str:
    """The text without the wrappers around it, however many there are."""
    text = text.strip()
    while True:
        inner = _without_marks(text)
        for wrapper in (*PREAMBLES, LABEL):
            if match := wrapper.match(inner):
                inner = inner[match.end() :].strip()
        if inner == text:
            return text
        text = inner


def _without_marks(text: str) -> str:
    """The text without one pair of fences, bold marks or quotes, if the pair encloses all of it."""
    if fenced := FENCE.fullmatch(text):
        return fenced[1].strip()
    for mark in ("**", "__"):
        if len(text) > 2 * len(mark) and text.startswith(mark) and text.endswith(mark) and text.count(mark) == 2:
            return text[len(mark) : -len(mark)].strip()
    if any(_encloses(text, *pair) for pair in QUOTES):
        return text[1:-1].strip()
    return text


def _encloses(text: str, opening: str, closing: str) -> bool:
    """Whether the first and the last character are quotes of one pair: not so in `"a" or "b"`."""
    if len(text) < 2 or not (text.startswith(opening) and text.endswith(closing)):
        return False
    depth = 0
    for place, character in enumerate(text):
        if character not in (opening, closing):
            continue
        opens = character == opening
        if opening == closing:  # a straight quote opens where a word may start
            before = text[:place].rstrip('"“«([{*')
            opens = not before or before[-1].isspace()
        depth += 1 if opens else -1
        if depth == 0 and place < len(text) - 1:
            return False
    return depth == 0


def _split(text: str) -> tuple[str, str]:
    """A fenced block, or else the first paragraph up to where its first sentence ends a line; and the rest.

    A paragraph that ends in a question stays whole unless its first line asks or announces something itself: what
    comes before such a question belongs to it.
    """
    if fenced := FENCE.match(text):
        return fenced[0], text[fenced.end() :]
    lines = text.split("\n")
    end = next((n for n, line in enumerate(lines) if not line.strip()), len(lines))
    if not (end and ASKED.search(lines[end - 1])) or COMPLETE.search(lines[0]):
        end = next((n for n in range(1, end) if not _goes_on(lines[n - 1], lines[n])), end)
    return "\n".join(lines[:end]), "\n".join(lines[end:])


def _goes_on(line: str, following: str) -> bool:
    """Whether a sentence runs over the line feed between two lines."""
    return not FINISHED.search(line) and (following.lstrip()[:1].islower() or bool(DANGLING.search(line)))
