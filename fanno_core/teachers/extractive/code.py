"""Code generation: small Python functions over a list of terms, printed from their own source and run."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from fanno_core.teachers.extractive import snippets
from fanno_core.teachers.extractive.question import Question
from fanno_core.teachers.extractive.wording import Brief

LIST = re.compile(r"^terms = (\[.*\])$", re.MULTILINE)
TERMS = 5


@dataclass(frozen=True, slots=True)
class Snippet:
    """A function, the words of an instruction that ask for it, and what is worth knowing about it."""

    function: Callable[[list[str]], Any]
    asked: str
    note: str
    imports: str = ""
    least: int = 1


SNIPPETS = (
    Snippet(
        snippets.unique_longest_first,
        "doubled terms",
        "Step 1, `set`, drops repeats; step 2, `sorted`, orders what is left.",
    ),
    Snippet(
        snippets.group_by_initials,
        "initials",
        "Step 1 builds the initials of a term; step 2 files the term under them.",
    ),
    Snippet(
        snippets.all_longest,
        "greatest length",
        "Edge cases: an empty list gives an empty list, and ties are all returned. It runs in linear time.",
    ),
    Snippet(
        snippets.count_words,
        "how often each word",
        "Limits: words are split at white space only, so `cost` and `cost,` would count as two words.",
    ),
    Snippet(snippets.without_vowels, "vowels", "Readers then guess the terms from their consonants."),
    Snippet(
        snippets.shift_letters, "three places ahead", "To read the secret again, shift every letter three places back."
    ),
    Snippet(
        snippets.median_length,
        "median length",
        "The median, unlike the mean, is not pulled up by one very long term.",
        "from statistics import median\n\n\n",
    ),
    Snippet(
        snippets.edit_distance,
        "edit distance",
        "It fills the table of Wagner and Fischer row by row, as sequence alignment in genetics does.",
        least=2,
    ),
)


def material(brief: Brief, wording: str) -> str:
    """A list of the document's terms; one of them stands in it twice where the task is to remove doubled ones."""
    snippet = _wanted(wording) or SNIPPETS[0]
    wide = [phrase.text for phrase in brief.phrases + list(brief.analysis.phrases)]
    terms = list(dict.fromkeys(wide))[: TERMS if snippet.least == 1 else snippet.least]
    if snippet.function in (snippets.unique_longest_first, snippets.count_words):
        terms.append(terms[0])
    return f"terms = {json.dumps(terms, ensure_ascii=False)}"


def asks(question: Question) -> bool:
    """Whether the wording asks for code."""
    return bool(re.search(r"\bPython\b|\bcode snippet\b", question.bare))


def answer(question: Question) -> str | None:
    """The function that is asked for, with its result for the terms; nothing where no such function is known."""
    snippet = _wanted(question.bare)
    if snippet is None:
        return None
    shown = f"```python\n{snippet.imports}{source_of(snippet.function)}\n```"
    terms = _terms(question.material)
    if len(terms) < snippet.least:
        return f"{shown}\n\n{snippet.note}"
    return f"{shown}\n\nFor these terms it returns `{snippet.function(terms)!r}`. {snippet.note}"


def _terms(material: str) -> list[str]:
    """The terms in the material; none where they are missing or cannot be read."""
    found = LIST.search(material)
    try:
        terms = json.loads(found[1]) if found else []
    except ValueError:
        return []
    return [term for term in terms if isinstance(term, str) and term.strip()]


def _wanted(wording: str) -> Snippet | None:
    return next((snippet for snippet in SNIPPETS if snippet.asked in wording), None)


@cache
def source_of(function: Callable[[list[str]], Any]) -> str:
    """The source text of a function."""
    return inspect.getsource(function).rstrip()
