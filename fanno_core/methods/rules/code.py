"""Whether a text is source code, which rules leave as it is."""

from __future__ import annotations

import re

FENCE = re.compile(r"^\s*(?:```|~~~)", re.MULTILINE)
SURE = re.compile(
    r"\s*(?:(?:async\s+)?def\s+\w+\s*\(.*|class\s+\w+\s*(?:\(.*\))?\s*[:{]|import\s+[\w.]+(?:\s+as\s+\w+)?;?"
    r"|from\s+[\w.]+\s+import\s+\S.*|#include\s*[<\"].*|<\?php.*|</?[a-z][\w-]*(?:\s[^<>]*)?>.*"
    r"|function\s+\w*\s*\(.*|(?:const|let|var)\s+\w+\s*=.*|(?:public|private|protected|static|void)\s.*[;{)]"
    r"|(?:SELECT|INSERT INTO|CREATE TABLE|DELETE FROM)\s.*|[\w.]+\(.*\);?|.*(?:[={}<>\[\]]|\w\().*[;{]"
    r"|[{}\])]+[;,]?)\s*"
)
"""A line that is hardly ever prose."""
PERHAPS = re.compile(
    r"\s*(?:[\w.\[\]\"']+\s*(?:[-+*/]?=|:=)\s*\S.*|(?:if|elif|else|for|while|try|except|with|return)\b.*"
    r"|//.*|#.*)|\s{4,}\S.*"
)
"""A line that is code among lines of code, and may be prose by itself, such as `if it rains:` or `x = y`."""


def is_code(text: str) -> bool:
    """Whether it holds a fenced block, or most of its lines are code and one of them is so without doubt."""
    if FENCE.search(text):
        return True
    lines = [line for line in text.splitlines() if line.strip()]
    sure = sum(1 for line in lines if SURE.fullmatch(line))
    perhaps = sum(1 for line in lines if not SURE.fullmatch(line) and PERHAPS.fullmatch(line))
    return sure > 0 and 2 * (sure + perhaps) > len(lines)
