"""Words of an instruction with their parts of speech, and the forms that dictionaries list them under."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import Any

from fanno_core.tagger import textblob

QUOTED = re.compile(r"```.*?```|`[^`\n]+`|\"[^\"\n]*\"|“[^”\n]*”|(?<!\w)'[^'\n]{2,200}'(?!\w)|‘[^’\n]*’", re.DOTALL)
QUOTE = "«quote»"
"""Stands for whatever is quoted, which is about, and no part of, what is asked."""
TOKEN = re.compile(rf"{QUOTE}|[^\W\d_]+(?:[-'][^\W\d_]+)*|\d[\w.,%:/-]*\w|\d|[.!?]+(?=\s|$)|[,;:()\n—–]|\S")
ENDS = re.compile(r"[.!?]+$")
CONTRACTED = {
    "don't": ("do", "not"),
    "doesn't": ("does", "not"),
    "let's": ("let", "us"),
    "i'd": ("i", "would"),
    "i'm": ("i", "am"),
    "i've": ("i", "have"),
    "you're": ("you", "are"),
    "isn't": ("is", "not"),
    "can't": ("can", "not"),
} | {f"{word}'s": (word, "is") for word in ("what", "who", "where", "how", "when", "why", "it", "that", "there")}
SINGULAR = {"criteria": "criterion", "people": "people", "lyrics": "lyrics", "pros": "pro", "cons": "con"}
INFINITIVE = frozenset({"VB", "VBP"})
ANY_BASE = INFINITIVE | {"NN", "JJ"}


@dataclass(frozen=True, slots=True)
class Word:
    """A word in small letters with its tag of the Penn treebank."""

    text: str
    tag: str

    def among(self, *kinds: str) -> bool:
        """Whether it is one of the words of these kinds in `words.toml`."""
        return any(self.text in _kind(kind) for kind in kinds)

    @property
    def is_noun(self) -> bool:
        """Whether it is tagged as a noun or a name."""
        return self.tag.startswith("NN")

    @property
    def is_base(self) -> bool:
        """Whether it may be an infinitive or an imperative, whatever it is here."""
        return self.among("imperatives") or known_tag(self.text) in INFINITIVE


END = Word(".", ".")


def word_at(sentence: Sequence[Word], place: int) -> Word:
    """The word at that place; a full stop beyond the end."""
    return sentence[place] if place < len(sentence) else END


def sentences_of_words(instruction: str) -> list[list[Word]]:
    """The sentences of an instruction, tagged; what is quoted is one word of them."""
    plain = QUOTED.sub(_quote, instruction.replace("’", "'"))
    sentences: list[list[str]] = [[]]
    for token in TOKEN.findall(plain):
        sentences[-1] += CONTRACTED.get(token.lower(), (token,))
        if ENDS.match(token) or token.isspace():
            sentences.append([])
    return [_tagged(tuple(tokens)) for tokens in sentences if any(token[0].isalnum() for token in tokens)]


def _quote(match: re.Match[str]) -> str:
    # "Is it so?" Answer with yes or no: the quotation is a sentence.
    ends = re.search(r"[.!?]\W$", match[0]) and re.match(r"\s+[A-Z]|\s*$", match.string[match.end() :])
    return f" {QUOTE} . " if ends else f" {QUOTE} "


@lru_cache(maxsize=4096)
def _tagged(tokens: Sequence[str]) -> list[Word]:
    # A sentence's capital would make a name of its first word, which an imperative's lexicon entry is not under.
    first = next(place for place, token in enumerate(tokens) if token[0].isalnum())
    plain = [token.lower() if place == first and not token.isupper() else token for place, token in enumerate(tokens)]
    found = textblob().parser.find_tags(plain)
    return [Word(text.lower(), _tag(text, tag)) for text, tag in found]


def _tag(text: str, tag: str) -> str:
    if text == QUOTE:
        return "QUOTE"
    # Shakespeare's, the dog's: they stand before a noun as an article does.
    return "PRP$" if text.endswith("'s") else tag


@lru_cache(maxsize=16_384)
def known_tag(word: str) -> str:
    """The tag that a word has most often, from TextBlob's lexicon; empty for a word that is not in it."""
    tag: str = textblob().parser.lexicon.get(word, "")
    return tag


@lru_cache(maxsize=16_384)
def verb_base(word: str) -> str:
    """The infinitive of a verb in any form: `write` for `wrote`, `writes`, `writing`."""
    if word in _irregular():
        return _irregular()[word]
    for ending, replacements in (("ies", ("y",)), ("ied", ("y",)), ("ing", ("e", "")), ("ed", ("e", "")),
                                 ("es", ("e", "")), ("s", ("",))):  # fmt: skip
        if not word.endswith(ending) or len(word) - len(ending) < 2 or word.endswith("ss"):
            continue
        stem = word.removesuffix(ending)
        for replacement in replacements:
            if _may_be_base(stem + replacement):
                return stem + replacement
        if stem[-1] == stem[-2] and _may_be_base(stem[:-1]):
            return stem[:-1]
    return word.removesuffix("ed") if known_tag(word) == "" else word


def _may_be_base(word: str) -> bool:
    american = f"{word[:-3]}ize" if word.endswith("ise") else word  # the lexicon's spelling
    return known_tag(word) in ANY_BASE or Word(american, "").is_base


@lru_cache(maxsize=16_384)
def noun_base(word: str, tag: str) -> str:
    """The singular of a noun."""
    if word in SINGULAR:
        return SINGULAR[word]
    if (
        word.endswith("ics")
        or tag not in {"NNS", "NNPS"}
        or not word.endswith(("s", "men", "children", "feet", "teeth", "mice", "ia"))
    ):
        return word
    # TextBlob cuts `clas` out of class and `bu` out of bus; what it makes of a plural is in its own lexicon.
    single: str = textblob().inflect.singularize(word)
    return (
        single
        if known_tag(single).startswith("NN") or not known_tag(word.removesuffix("s"))
        else word.removesuffix("s")
    )


@cache
def _kind(name: str) -> frozenset[str]:
    return frozenset(_table()[name])


@cache
def _irregular() -> Mapping[str, str]:
    return {form: base for base, forms in _table()["irregular"].items() for form in forms}


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(resources.files(__package__).joinpath("words.toml").read_text(encoding="utf-8"))
