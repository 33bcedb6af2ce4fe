"""How many verbs an instruction holds: a measure of how much it asks for at once."""

from __future__ import annotations

from collections.abc import Sequence

from fanno_core.report.measures.verbs.openings import opens_order
from fanno_core.report.measures.verbs.roots import root_of
from fanno_core.report.measures.verbs.words import END, Word, known_tag, sentences_of_words, verb_base, word_at

HELPERS = ("be", "do", "have", "modal")
BEFORE_ORDER = frozenset({"and", "or", ",", ":", ";", "then", "please", "you", "not", "also"})
BEFORE_THIRD_PERSON = frozenset({"that", "who", "which", "what", "it", "he", "she"})
AFTER_VERB = ("DT", "PRP", "CD", "IN", "TO", "NN", "JJ", "RB")


def count_verbs(instruction: str) -> int:
    """How many words of an English instruction are verbs; helpers (be, do, have, modals) and quotations do not count.

    To TextBlob "design", "list" and "answer" are nouns wherever they stand; here they are verbs where they open an
    order, follow a helper, or end a question that asks what somebody does. Of 30 instructions whose verbs were counted
    before the rules were first run on them 27 came out right, by the lexicon alone 12
    (`tests/report/measures/counted.py`).
    """
    sentences = sentences_of_words(instruction)
    verbs = [words[place].text for words in sentences for place in range(len(words)) if _is_verb(words, place)]
    root, _ = root_of(instruction)
    # Where the rules of questions know more than those of words.
    return len(verbs) + bool(root and not Word(root, "").among(*HELPERS) and root not in map(verb_base, verbs))


def _is_verb(sentence: Sequence[Word], place: int) -> bool:
    word, after = sentence[place], word_at(sentence, place + 1)
    before = sentence[place - 1] if place else END
    if word.among(*HELPERS, "openers") or not word.text[0].isalpha():
        return False
    if word.tag.startswith("VB") or known_tag(word.text).startswith("VB"):
        return not _is_adjective(word, before, after)
    if before == END or before.text in BEFORE_ORDER:
        listed = before.text in {"and", "or", ","} and not after.tag.startswith(AFTER_VERB)
        return word.among("imperatives") and opens_order(sentence, place) and not listed
    if before.among("modal") or (before.text == "to" and after.tag in {"DT", "PRP$", "PRP"}):
        return word.is_base
    if before.tag == "NNS" and word.is_base:
        return any(earlier.among("wh") for earlier in sentence[max(place - 4, 0) : place - 1])  # how rivers change
    if before.text in BEFORE_THIRD_PERSON and word.text.endswith("s"):
        return Word(verb_base(word.text), "").is_base or after.tag.startswith(AFTER_VERB)
    return False


def _is_adjective(word: Word, before: Word, after: Word) -> bool:
    """Whether a participle stands between an article and a noun: the broken chair."""
    return word.tag in {"VBN", "VBG", "VBD"} and before.tag in {"DT", "PRP$", "JJ"} and after.is_noun
