"""Sentiment: labels from the polarity lexicon that TextBlob ships, with the words that decide."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from fanno_core.tagger import textblob
from fanno_core.teachers.extractive.lexicon import words
from fanno_core.teachers.extractive.question import Question
from fanno_core.teachers.extractive.sentences import capitalised
from fanno_core.teachers.extractive.wording import Brief, bulleted, listed, numbered

ASKED = re.compile(r"\b(?:sentiment|tone does|the tone of|mood|feelings)\b", re.IGNORECASE)
MARGIN = 0.05
"""Polarities nearer to 0 than this count as neutral."""
FAINT = 0.15
"""Words of a polarity nearer to 0 than this are no evidence."""
STRONG = 0.5
SENTENCES = 3


@dataclass(frozen=True, slots=True)
class Mood:
    """Mean polarity of a sentence in [-1, 1], and its words of approval and of disapproval."""

    polarity: float
    approving: tuple[str, ...]
    disapproving: tuple[str, ...]

    @property
    def label(self) -> str:
        """`positive`, `negative` or `neutral`."""
        return "neutral" if abs(self.polarity) < MARGIN else "positive" if self.polarity > 0 else "negative"


@lru_cache(maxsize=4096)
def mood_of(sentence: str) -> Mood:
    """The mood of a sentence."""
    found = [
        (" ".join(chunk), polarity)
        for chunk, polarity, *_ in textblob().sentiment(sentence).assessments
        if abs(polarity) >= FAINT and chunk[-1] not in words("moodless")
    ]
    good = tuple(dict.fromkeys(chunk for chunk, polarity in found if polarity > 0))
    bad = tuple(dict.fromkeys(chunk for chunk, polarity in found if polarity < 0))
    mean = sum(polarity for _, polarity in found) / len(found) if found else 0.0
    return Mood(round(mean, 4), good, bad)


def material(brief: Brief, wording: str) -> str:
    """A sentence with a mood of its own, or several where the wording asks about each."""
    ranked = sorted(brief.sentences, key=lambda s: (-abs(mood_of(s.text).polarity), s.text))[: 2 * SENTENCES]
    if "each" not in wording:
        return brief.draw.choose(ranked).text
    drawn = {sentence.text for sentence in brief.draw.sample(ranked, SENTENCES)}
    return numbered([sentence.text for sentence in brief.sentences if sentence.text in drawn])


def asks(question: Question) -> bool:
    """Whether the wording asks for a sentiment."""
    return bool(ASKED.search(question.bare))


def answer(question: Question) -> str:
    """The label or labels, with the words that decide."""
    lines = [re.sub(r"^\d+\. ", "", line) for line in question.material.split("\n") if line.strip()]
    moods = [mood_of(line) for line in lines or [question.first]]
    if question.shape == "multi-step":
        overall = Mood(sum(mood.polarity for mood in moods) / len(moods), (), ())
        each = numbered([f"{capitalised(mood.label)}. {_evidence(mood)}" for mood in moods])
        return f"{each}\n\nOverall: {overall.label}."
    return _told(question, moods[0])


def _told(question: Question, mood: Mood) -> str:
    line = question.bare.lower()
    if "stars" in line:
        return f"{_stars(mood)} of 5 stars. {_evidence(mood)} The sentence is {mood.label} on the whole."
    if "weather" in line:
        return f"{WEATHER[mood.label]} {_evidence(mood)}"
    if question.shape == "interdisciplinary":
        counts = [f"positive words: {len(mood.approving)}", f"negative words: {len(mood.disapproving)}"]
        counts.append(f"mean polarity on a scale from -1 to 1: {mood.polarity:.2f}")
        return f"Sentiment: {mood.label}\n{bulleted(counts)}\n{_evidence(mood)}"
    plain = f"Sentiment: {mood.label}\nReason: {_evidence(mood)}"
    return f"{plain}\nA possible objection: {_objection(mood)}" if question.shape == "critical-thinking" else plain


def _stars(mood: Mood) -> int:
    """3 for a neutral mood, one more or less for a clear one, two for a strong one."""
    strength = 0 if mood.label == "neutral" else 1 + (abs(mood.polarity) > STRONG)
    return 3 + strength if mood.polarity > 0 else 3 - strength


def _evidence(mood: Mood) -> str:
    """One sentence about the words that decide."""
    good, bad = (listed([f'"{word}"' for word in group[:4]]) for group in (mood.approving, mood.disapproving))
    if good and bad:
        return f"Approval shows in {good}, disapproval in {bad}."
    if good or bad:
        verdict = "approval" if good else "disapproval"
        return f"The wording {good or bad} expresses {verdict}, and nothing speaks to the contrary."
    return "The wording is factual and holds no word of praise or blame."


def _objection(mood: Mood) -> str:
    if not mood.approving and not mood.disapproving:
        return "facts can please or worry a reader even where no word judges them."
    word = (mood.approving + mood.disapproving)[0]
    return f'"{word}" may simply describe the matter here rather than judge it.'


WEATHER = {
    "positive": "Sunshine: the sentiment is positive.",
    "negative": "Storm: the sentiment is negative.",
    "neutral": "Overcast and calm: the sentiment is neutral.",
}
