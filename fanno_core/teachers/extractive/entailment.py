"""Natural-language inference: a premise, hypotheses made from it, and the verdict on each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from fanno_core.teachers.extractive.analysis import Sentence
from fanno_core.teachers.extractive.central import terms_of
from fanno_core.teachers.extractive.question import Question
from fanno_core.teachers.extractive.sentences import capitalised
from fanno_core.teachers.extractive.wording import Brief, listed, lower_first, numbered
from fanno_core.text import words_of

Verdict = Literal["entailment", "contradiction", "neutral"]

AUXILIARY = re.compile(r"\b(is|are|was|were|can|could|will|would|should|must|may|might)\b(?! not\b|n't|not\b)")
QUALIFIED = re.compile(
    r"\b(?:not|no|never|only|nor|neither|hardly|n't|\w+n['’]t|that|which|who|if|when|while|because|as|what|how|where|unless|until|any|also)\b",
    re.I,
)
RESTRICTED = re.compile(
    r"\b(?:not|no|never|only|nor|neither|hardly|because|unless|until|any|also|either)\b|n['’]t\b", re.IGNORECASE
)
"""Words after the verb that make it unclear what a denial denies."""
TAIL = re.compile(
    r"(?:, (?:which|who|where|such as|including|because|but|so that|as well as|although|though|especially)\b"
    r"| because | so that |; | - | — | \().*[.]$"
)
LINE = re.compile(r"^(Premise|Witness statement|Hypothesis|Claim)(?: \d)?: (.+)$", re.MULTILINE)
DENIAL = "It is not true that"
LONGEST_PREMISE = 32
"""Words; longer premises hide what the hypothesis turns on."""


def material(brief: Brief, wording: str) -> str:
    """A premise and one hypothesis, or three where the wording asks about each."""
    premise, pool = _premise(brief)
    certain = [h for h in (shortened(premise), negated(premise)) if h]
    others = [s.text for s in brief.draw.sample(pool, 3) if s.text != premise]
    several = "each" in wording or "one by one" in wording
    asked = brief.draw.sample([*certain, *others][:3] if several else [*certain, *others[:1]], 3 if several else 1)
    given, claim = ("Witness statement", "Claim") if "witness" in wording else ("Premise", "Hypothesis")
    labels = [f"{claim} {number}" for number in range(1, len(asked) + 1)] if len(asked) > 1 else [claim]
    return "\n".join([f"{given}: {premise}", *(f"{a}: {b}" for a, b in zip(labels, asked, strict=True))])


def _premise(brief: Brief) -> tuple[str, list[Sentence]]:
    pool = brief.sentences
    short = [s for s in pool if len(words_of(s.text)) <= LONGEST_PREMISE] or pool
    good = [s for s in short if not negated(s.text).startswith(DENIAL) or shortened(s.text)] or short
    return brief.draw.choose(good).text, pool


def negated(sentence: str) -> str:
    """The sentence denied: at its first auxiliary verb, or as a whole where that might deny only a part of it."""
    found = AUXILIARY.search(sentence)
    if not found or QUALIFIED.search(sentence[: found.start()]) or RESTRICTED.search(sentence[found.end() :]):
        return f"{DENIAL} {lower_first(sentence)}"
    denial = "cannot" if found[1] == "can" else f"{found[1]} not"
    return f"{sentence[: found.start()]}{denial}{sentence[found.end() :]}"


def shortened(sentence: str) -> str:
    """The sentence without its last qualification, which it therefore entails, or nothing."""
    found = TAIL.search(sentence)
    if not found or len(words_of(sentence[: found.start()])) < 5 or "," in sentence[: found.start()]:
        return ""
    return "" if QUALIFIED.search(sentence[: found.start()]) else f"{sentence[: found.start()]}."


def asks(question: Question) -> bool:
    """Whether a premise and a hypothesis stand in the material."""
    return len(LINE.findall(question.material)) > 1


def answer(question: Question) -> str:
    """The verdict on each hypothesis, with its reason."""
    lines = [text for _, text in LINE.findall(question.material)]
    premise, claims = lines[0], lines[1:]
    verdicts = [verdict(premise, claim) for claim in claims]
    reasons = [_reason(found, premise, claim) for found, claim in zip(verdicts, claims, strict=True)]
    if len(claims) > 1:
        return numbered([f"{capitalised(found)}. {reason}" for found, reason in zip(verdicts, reasons, strict=True)])
    told = _told(question, verdicts[0], reasons[0])
    return told.replace("hypothesis", "claim").replace("premise", "statement") if "Claim" in question.material else told


def verdict(premise: str, hypothesis: str) -> Verdict:
    """Entailment for what the premise says in full, contradiction for its denial, neutral for anything else."""
    said, claimed = _tokens(premise), _tokens(hypothesis)
    if claimed == said[: len(claimed)]:
        return "entailment"
    if claimed == (*_tokens(DENIAL), *said):
        return "contradiction"
    denials = [tuple(t for t in tokens if t != "not") for tokens in (said, claimed)]
    if denials[0] == denials[1] and said.count("not") != claimed.count("not"):
        return "contradiction"
    return "neutral"


def _tokens(text: str) -> tuple[str, ...]:
    return tuple(words_of(text.lower().replace("cannot", "can not")))


def _reason(found: Verdict, premise: str, hypothesis: str) -> str:
    if found == "entailment":
        rest = words_of(premise)[len(words_of(hypothesis)) :]
        extra = ", which merely adds a detail that the hypothesis leaves out" if rest else ""
        return f"Everything that the hypothesis says is part of the premise{extra}."
    if found == "contradiction":
        return "One of the two asserts what the other denies."
    new = _new_words(premise, hypothesis)
    return f"The premise neither states nor rules out what the hypothesis says about {listed(new)}."


def _new_words(premise: str, hypothesis: str) -> Sequence[str]:
    known = set(terms_of(premise))
    fresh = [word for word in words_of(hypothesis) if terms_of(word) and terms_of(word)[0] not in known]
    return [f'"{word}"' for word in dict.fromkeys(fresh)][:3] or ["its subject"]


def _told(question: Question, found: Verdict, reason: str) -> str:
    """The verdict in the manner that the wording asks for."""
    plain = f"{capitalised(found)}. {reason}"
    line = question.bare.lower()
    if "detective" in line or "courtroom" in line:
        speaker = "The detective closes the notebook" if "detective" in line else "The judge rises"
        return f'{speaker}: "{IN_COURT[found]}" {reason}'
    if "logic" in line or "law" in line:
        return f"{(IN_LOGIC if 'logic' in line else IN_LAW)[found]} {reason}"
    if question.shape == "critical-thinking":
        return f"{plain}\n\nWhat would change the verdict: {CHANGES[found]}"
    return plain


IN_COURT: dict[Verdict, str] = {
    "entailment": "The claim follows from the statement.",
    "contradiction": "The claim is refuted by the statement.",
    "neutral": "The claim may be true, but the statement does not settle it.",
}
IN_LOGIC: dict[Verdict, str] = {
    "entailment": "The premise entails the hypothesis: whenever the first is true, so is the second.",
    "contradiction": "Premise and hypothesis contradict each other: they cannot both be true.",
    "neutral": "The hypothesis is independent of the premise: it may be true or false while the premise holds.",
}
IN_LAW: dict[Verdict, str] = {
    "entailment": "The hypothesis is proven.",
    "contradiction": "The hypothesis is disproven.",
    "neutral": "The hypothesis is not proven: the evidence does not reach it.",
}
CHANGES: dict[Verdict, str] = {
    "entailment": "a hypothesis that claims more than the premise, or a premise that holds only under a condition.",
    "contradiction": "reading the two sentences as speaking of different times or of different things.",
    "neutral": "a further premise that speaks about the same things as the hypothesis.",
}
