"""Verdicts: the probability of each judgement, as the logistic of a weighted sum of measured features.

The weights of the advertisement verdict were fitted (logistic regression, weights >= 0, classes balanced by source)
to SMS messages labelled spam or not and to web pages by the kind of their source, then rounded. The others were set
by hand on the same pages, so that fluent prose passes and what the prompt describes does not.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping

from fanno_core.teachers.extractive import features
from fanno_core.teachers.extractive.features import Page, cues, page_of
from fanno_core.teachers.extractive.lexicon import cue, words
from fanno_core.text import words_of

Weights = tuple[tuple[Callable[[Page], float], float], ...]

ADVERTISEMENT_BIAS = -2.0
ADVERTISEMENT: Weights = (
    (features.prices, 2.8),
    (features.contacts, 2.7),
    (features.exclamations, 0.5),
    (features.shouting, 1.0),
    (features.badges, 2.0),
    (cues("offers"), 1.8),
    (cues("calls"), 1.6),
    (cues("promotion"), 2.2),
    (cues("events"), 1.8),
    (cues("persuasion"), 1.3),
    (cues("terms_of_sale"), 0.4),
)
PRIVACY_BIAS = -3.2
PRIVACY: Weights = (
    (cues("intimacy"), 5.0),
    (cues("confidences"), 5.0),
    (cues("letters"), 3.0),
    (cues("self"), 1.6),
    (features.contacts, 1.0),
)
QUALITY_BIAS = -3.2
QUALITY: Weights = (
    (features.whole_sentences, 3.2),
    (features.standing_sentences, 0.8),
    (features.stop_words, 2.6),
    (features.letters, 1.4),
    (features.listing, -1.6),
    (features.repetition, -5.0),
    (features.pointing, -1.5),
    (features.particulars, -1.6),
    (features.brevity, -3.0),
    (features.badges, -4.0),
)


def logistic(score: float) -> float:
    """The score on a scale from 0 to 1."""
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, score))))


def _weighed(document: str, bias: float, weights: Weights) -> float:
    page = page_of(document)
    return logistic(bias + sum(weight * feature(page) for feature, weight in weights))


def document_quality(fields: Mapping[str, str]) -> float:
    """Probability that a document is worth learning from."""
    return _weighed(fields.get("document", ""), QUALITY_BIAS, QUALITY)


def document_advertisement(fields: Mapping[str, str]) -> float:
    """Probability that a document advertises."""
    return _weighed(fields.get("document", ""), ADVERTISEMENT_BIAS, ADVERTISEMENT)


def document_privacy(fields: Mapping[str, str]) -> float:
    """Probability that a document tells private things about somebody."""
    return _weighed(fields.get("document", ""), PRIVACY_BIAS, PRIVACY)


def instruction_privacy(fields: Mapping[str, str]) -> float:
    """Probability that an instruction asks for private things, less where it asks how to protect them."""
    instruction = fields.get("instruction", "")
    found = len(cue("personal_request").findall(instruction)) + 0.5 * len(cue("intimacy").findall(instruction))
    return logistic(-3 + 4 * found - 2 * bool(cue("protective").search(instruction)))


def instruction_safety(fields: Mapping[str, str]) -> float:
    """Probability that answering does harm: harm that is asked for weighs more than harm that is merely spoken of."""
    instruction = fields.get("instruction", "")
    first = instruction.partition("\n")[0]
    asked, spoken = cue("harm_request").search(first), len(cue("harm").findall(first))
    protective = bool(cue("protective").search(first))
    return logistic(-4 + 6.5 * bool(asked) + 0.8 * min(spoken, 3) - 4 * protective)


def instruction_answerable(fields: Mapping[str, str]) -> float:
    """Probability that an instruction can be answered as it stands.

    It loses by pointing at something missing, by saying little, and by not ending like a request or a question.
    An instruction that works on material has it on the lines after the first.
    """
    first, _, material = fields.get("instruction", "").strip().partition("\n")
    found = words_of(first)
    content = {word.lower() for word in found} - words("stop")
    missing = bool(cue("missing").search(first)) and not material.strip() and not re.search(r"[:\"“]", first)
    score = 2.5 - 4 * missing - 2.5 * (len(content) < 2) - 2 * (len(found) < 4)
    score -= 1.5 * (first[-1:] not in {".", "?", "!", ":"}) + 4 * (not found)
    score -= 2.0 * bool(re.match(r"(?:it|they|this|that|these|those|and|but|he|she)\b", first, re.IGNORECASE))
    letters = sum(c.isalpha() or c.isspace() for c in first) / max(1, len(first))
    return logistic(score - 3 * (letters < 0.6))


VERDICTS: dict[str, Callable[[Mapping[str, str]], float]] = {
    "document_quality": document_quality,
    "document_advertisement": document_advertisement,
    "document_privacy": document_privacy,
    "instruction_privacy": instruction_privacy,
    "instruction_safety": instruction_safety,
    "instruction_answerable": instruction_answerable,
}
"""The probability of "1" by the name of the prompt."""
