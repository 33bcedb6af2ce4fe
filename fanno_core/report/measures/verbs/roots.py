"""Root verbs with their objects: of one instruction, and the most frequent of many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache

from fanno_core.report.measures.verbs.openings import opens_order, polite_verb, wished_verb, without_opening
from fanno_core.report.measures.verbs.phrases import object_head, root_at
from fanno_core.report.measures.verbs.questions import question_root
from fanno_core.report.measures.verbs.words import Word, sentences_of_words
from fanno_core.report.numbers import VerbObject

VERBS = 20
OBJECTS = 4
NOTHING = ("", "")


def verbs_of(instructions: Iterable[str]) -> tuple[tuple[VerbObject, ...], int, int]:
    """The most frequent verbs with their most frequent objects; instructions with a verb; different verbs.

    They fall by verb, then by object; ties go by the alphabet. Instructions without an object come last under their
    verb, with an empty object that takes none of the four places.
    """
    found = Counter(root_of(instruction) for instruction in instructions)
    verbs: Counter[str] = Counter()
    for (verb, _), count in found.items():
        verbs[verb] += count
    del verbs[""]
    shown: list[VerbObject] = []
    for verb in sorted(verbs, key=lambda verb: (-verbs[verb], verb))[:VERBS]:
        objects = [VerbObject(*root, count) for root, count in found.items() if root[0] == verb and root[1]]
        shown += sorted(objects, key=lambda each: (-each.count, each.object))[:OBJECTS]
        if found[verb, ""]:
            shown.append(VerbObject(verb, "", found[verb, ""]))
    return tuple(shown), verbs.total(), len(verbs)


@lru_cache(maxsize=16_384)
def root_of(instruction: str) -> tuple[str, str]:
    """Root verb and direct object of an instruction, in their base forms; each empty where none is found."""
    scene = NOTHING
    for sentence in sentences_of_words(instruction):
        verb, thing = _requested(without_opening(sentence, lambda rest: _requested(rest) != NOTHING))
        if Word(verb, "VB").among("scene"):
            scene = scene if scene != NOTHING else (verb, thing)
        elif verb:
            return verb, thing
        elif sentence[-1].text.startswith("?"):
            break  # it asks what something is
    return scene


def _requested(sentence: Sequence[Word]) -> tuple[str, str]:
    """What a sentence asks for; nothing where it only tells."""
    if not sentence:
        return NOTHING
    place = next((found for found in (wished_verb(sentence), polite_verb(sentence)) if found is not None), 0)
    if opens_order(sentence, place):
        return _order(sentence[place:])
    if place:
        return root_at(sentence, place)
    if sentence[0].among("wh", "be", "do", "have", "modal") or sentence[-1].text.startswith("?"):
        return question_root(sentence)
    return NOTHING


def _order(sentence: Sequence[Word]) -> tuple[str, str]:
    """Verb and object of an imperative; of "Compare and contrast", the first verb and the object of the last."""
    place = 2 if [word.text for word in sentence[:2]] == ["do", "not"] and len(sentence) > 2 else 0
    last = place
    while (
        last + 2 < len(sentence) and sentence[last + 1].text in {"and", "or", ",", "/"} and sentence[last + 2].is_base
    ):
        last += 2
    return sentence[place].text, object_head(sentence, last + 1)
