"""The verb that a question is about, and its object."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from fanno_core.report.measures.verbs.phrases import root_at
from fanno_core.report.measures.verbs.words import Word, known_tag, noun_base, verb_base, word_at

TAKEN_BY_VERBS = frozenset({"DT", "PRP$", "PRP", "NN", "NNS", "JJ", "TO", "IN"})
CLAUSE_ENDS = frozenset({",", "?", ";"})
NOTHING = ("", "")


def question_root(sentence: Sequence[Word]) -> tuple[str, str]:
    """Verb and object of a question; both empty where it asks what something is."""
    asker, place = _asked_phrase(sentence)
    if place >= len(sentence) - 1:
        return NOTHING
    helper = sentence[place]
    if helper.among("be"):
        return _passive(sentence, place)
    if helper.among("do", "modal") or (helper.among("have") and sentence[place + 1].among("subjects")):
        verb_place = _main_verb(sentence, place + 1)
        verb, thing = root_at(sentence, verb_place) if verb_place is not None else NOTHING
        return (verb, thing or asker) if verb else NOTHING
    is_verb = helper.tag.startswith("VB") or Word(verb_base(helper.text), "").is_base
    return root_at(sentence, place) if is_verb or _takes_object(sentence, place) else NOTHING


def _asked_phrase(sentence: Sequence[Word]) -> tuple[str, int]:
    """The noun of "which country" or "how many people", or none; and where the phrase ends."""
    first = sentence[0]
    if not first.among("wh"):
        return "", 0
    place, head = 1, ""
    while place < len(sentence) and not sentence[place].among("be", "do", "have", "modal"):
        word = sentence[place]
        joined = sentence[place - 1].text in {"and", "or"}
        # What causes rain, which country exports tea: no plural.
        may_be_verb = word.is_noun and not joined and (word.tag == "NNS" if head else first.text in {"what", "who"})
        if may_be_verb and _takes_object(sentence, place):
            break
        if word.is_noun and not joined and sentence[place - 1].text != "of":
            head = noun_base(word.text, word.tag)
        elif not (word.is_noun or _goes_on(word, head)):
            break
        place += 1
    return (head if first.text in {"what", "which", "whose", "how"} else ""), place


def _goes_on(word: Word, head: str) -> bool:
    """Whether a phrase such as "how many of the" goes on with a word that is no noun."""
    of_what = bool(head) and word.text in {"of", "and", "or"}
    return of_what or word.text in {"many", "much"} or word.tag.startswith(("JJ", "CD", "RB", "DT"))


def _takes_object(sentence: Sequence[Word], place: int) -> bool:
    """Whether a word that may be a plural is a verb: something that verbs take stands after it."""
    word, after = sentence[place].text, word_at(sentence, place + 1)
    known = known_tag(verb_base(word)) in {"VB", "VBP", "NN"}
    return word.endswith("s") and known and after.tag in TAKEN_BY_VERBS and after.text not in {"of", "are", "is"}


def _main_verb(sentence: Sequence[Word], start: int) -> int | None:
    """Where the verb stands after a helper, whose subject begins at `start`; None where there is none."""
    if word_at(sentence, start).among("subjects") and not _leads_noun(sentence, start):
        skipped = (place for place in range(start + 1, len(sentence)) if sentence[place].tag not in {"RB", "PRP"})
        return next((place for place in skipped if not _is_auxiliary(sentence, place)), None)
    last = None
    for place in range(start + 1, len(sentence)):
        word, before = sentence[place], sentence[place - 1]
        if word.text in CLAUSE_ENDS:
            break
        if before.tag in {"IN", "DT", "PRP$", "TO"} or _is_auxiliary(sentence, place):
            continue
        if _is_finite(sentence, place) or (word.among("imperatives") and _ends_subject(sentence, start, place)):
            return place
        # After "did" there has to be a verb: of "the war end" it is the last, whatever the lexicon takes it for.
        if word.tag == "NN" and not any(earlier.tag == "IN" for earlier in sentence[start:place]):
            last = place
    return last


def _leads_noun(sentence: Sequence[Word], place: int) -> bool:
    """Whether the word there is the article of a noun: "does this sentence", not "does this work"."""
    after = word_at(sentence, place + 1)
    return sentence[place].tag == "DT" and (after.is_noun or after.tag == "JJ") and not after.is_base


def _is_auxiliary(sentence: Sequence[Word], place: int) -> bool:
    """Whether a "be" stands there that belongs to the verb after it: "could it be reworded"."""
    return sentence[place].among("be") and word_at(sentence, place + 1).tag in {"VBN", "VBG", "VBD"}


def _is_finite(sentence: Sequence[Word], place: int) -> bool:
    """Whether a verb stands there that is no adjective, as in "the recommended dose" and "people living here"."""
    word = sentence[place]
    rest = takewhile(lambda later: later.text not in CLAUSE_ENDS, sentence[place + 1 :])
    if not (word.tag.startswith("VB") or known_tag(word.text) in {"VB", "VBP"}):
        return False
    verb_follows = any(later.tag in {"VB", "VBP"} or known_tag(later.text) == "VB" for later in rest)
    return not (word.tag in {"VBN", "VBG"} and (word_at(sentence, place + 1).is_noun or verb_follows))


def _ends_subject(sentence: Sequence[Word], start: int, place: int) -> bool:
    follows_noun = place == start + 1 or sentence[place - 1].is_noun or sentence[place - 1].tag == "RB"
    return follows_noun and not any(known_tag(later.text) == "VB" for later in sentence[place + 1 : place + 4])


def _passive(sentence: Sequence[Word], helper: int) -> tuple[str, str]:
    """Verb and object of "How is cheese made?"; both empty where only what something is is asked."""
    if word_at(sentence, helper + 1).tag in {"VBN", "VBG", "VBD"}:
        return root_at(sentence, helper + 1)
    if not (sentence[0].among("be") or sentence[0].text in {"how", "why", "where", "when"}):
        return NOTHING
    for place in range(helper + 2, len(sentence)):
        word, before = sentence[place], sentence[place - 1]
        if word.tag in {"IN", "WDT", "WP", "TO", "CC"} or word.text in {",", "that"}:
            return NOTHING
        if word.tag in {"VBN", "VBG", "VBD"} and (before.is_noun or before.tag.startswith(("PRP", "RB"))):
            return root_at(sentence, place)
    return NOTHING
