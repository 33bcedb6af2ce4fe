"""Verbs with the noun phrases after them."""

from __future__ import annotations

from collections.abc import Sequence

from fanno_core.report.measures.verbs.words import Word, noun_base, verb_base, word_at

MODIFIERS = ("JJ", "DT", "PDT", "PRP$", "CD", "RBS", "RBR", "VBN", "VBG", "VBD", "POS", "#", "$")
DEGREES = frozenset({"very", "more", "most", "less"})


def root_at(sentence: Sequence[Word], place: int) -> tuple[str, str]:
    """The verb that stands there, in whatever form, and its object; both empty where none does, or one of being."""
    word = word_at(sentence, place)
    if not word.text[0].isalpha() or word.among("be"):
        return "", ""
    return verb_base(word.text), object_head(sentence, place + 1)


def object_head(sentence: Sequence[Word], start: int) -> str:
    """The head of the noun phrase that begins there, in the singular; empty where something else does."""
    head = unlisted = ""
    for place in range(_past_indirect(sentence, start), len(sentence)):
        word, before, after = sentence[place], sentence[place - 1], word_at(sentence, place + 1)
        if word.is_noun:
            # The novel Emma: the name only says which.
            head = head if head and word.tag == "NNP" else noun_base(word.text, word.tag)
        elif head:
            break
        elif before.tag in {"DT", "PRP$", "JJ"} and word.tag in {"JJ", "VB", "VBP"} and not word.among("quantities"):
            unlisted = word.text  # an e-mail, the mean: nouns that the lexicon does not know as such
        elif not _goes_before_noun(word, after, place == start):
            break
    return head or unlisted


def _past_indirect(sentence: Sequence[Word], start: int) -> int:
    """Where the object may begin: after adverbs, a particle, and whom it is given to."""
    place, last = start, len(sentence) - 1
    while place < last and (sentence[place].among("particles") or sentence[place].tag == "RB"):
        place += 1
    if word_at(sentence, place + 1).text == "by" and sentence[place].text == word_at(sentence, place + 2).text:
        return place + 3  # step by step
    if start < place < last and (sentence[place - 1].text, sentence[place].text) == ("up", "with"):
        return place + 1
    given_to = place < last and sentence[place].tag == "PRP" and sentence[place + 1].tag != "IN"
    return place + 1 if given_to else place


def _goes_before_noun(word: Word, after: Word, first: bool) -> bool:
    if word.text in {"whether", "how", "if", "why", "what", "that"}:
        return word.text == "that" and after.is_noun
    if word.tag.startswith(MODIFIERS) or word.among("quantities"):
        return True
    if word.text in {"of", ",", "and", "or", "-"}:
        return not first
    return word.text in DEGREES and after.tag.startswith("JJ")
