"""The beginning of a text, for the readers of the built-in corpus."""

from __future__ import annotations

# About eight segments: no package may dominate the built-in corpus, and some descriptions hold a whole change
# log (pydantic: 139,021 characters). What introduces a subject comes first.
EXCERPT_CHARS = 4000


def excerpt(text: str) -> str:
    """The first `EXCERPT_CHARS` characters at most, to the end of a paragraph where there is one."""
    if len(text) <= EXCERPT_CHARS:
        return text
    return text[: EXCERPT_CHARS + 2].rpartition("\n\n")[0] or text[:EXCERPT_CHARS]
