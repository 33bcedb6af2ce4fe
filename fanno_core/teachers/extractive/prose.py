"""Questions of knowledge and judgement: answered with the documents' own sentences, shaped as the wording asks."""

from __future__ import annotations

from collections.abc import Callable

from fanno_core.teachers.extractive.lexicon import cue, data_file, disciplines
from fanno_core.teachers.extractive.question import Question, best_sentences
from fanno_core.teachers.extractive.sentences import capitalised
from fanno_core.teachers.extractive.wording import bulleted, numbered

NOTHING_KNOWN = "I cannot answer this without a source."
SENTENCES = 4
"""Sentences of an answer: enough for a point and its grounds."""


def answer_prose(question: Question) -> str:
    """The answer, or the honest statement that there is nothing to answer from."""
    chosen = best_sentences(question, SENTENCES)
    if not chosen:
        return NOTHING_KNOWN
    body = SHAPED.get(question.shape, _plain)(question, chosen)
    closing = _conclusion(question)
    return f"{body}\n\n{closing}" if closing else body


def _plain(question: Question, chosen: list[str]) -> str:
    """One paragraph; two, one a topic, where the question has two."""
    if len(question.topics) < 2:
        return " ".join(chosen)
    first = best_sentences(question, 2, [question.topics[0].text])
    rest = [s for s in best_sentences(question, SENTENCES, [t.text for t in question.topics[1:]]) if s not in first]
    return "\n\n".join(" ".join(part) for part in (first, rest[:2]) if part)


def _steps(question: Question, chosen: list[str]) -> str:
    return numbered(chosen) if len(chosen) > 1 else _plain(question, chosen)


def _both_sides(question: Question, chosen: list[str]) -> str:
    """The sentences by the side that their words are on; by their length for a beginner and an expert."""
    line = question.bare.lower()
    if "beginner" in line and len(chosen) > 1:
        easy = min(chosen, key=len)
        return f"For a beginner: {easy}\n\nFor an expert: {' '.join(s for s in chosen if s != easy)}"
    caution = [s for s in chosen if cue("caution").search(s)]
    support = [s for s in chosen if s not in caution and cue("support").search(s)]
    neutral = [s for s in chosen if s not in caution and s not in support]
    supported, doubted = (
        ("A supporter would say", "A sceptic would say") if "sceptic" in line else ("In favour", "Caution")
    )
    sides = [("Background", neutral), (supported, support), (doubted, caution)]
    if not (support and caution):
        sides = [("Points to weigh", chosen)]
    return "\n\n".join(f"{side}:\n{bulleted(points)}" for side, points in sides if points)


def _told(question: Question, chosen: list[str]) -> str:
    """A letter, signs of an exhibition, a list of losses, or a dialogue, whichever the wording names."""
    line = question.bare.lower()
    if "letter" in line:
        return f"Hello,\n\nyou asked me about {question.topic}. {' '.join(chosen)}\n\nWarm regards"
    if "museum" in line:
        signs = [f"Room {number}: {sentence}" for number, sentence in enumerate(chosen, 1)]
        return f"Welcome to the exhibition on {question.topic}!\n\n" + "\n".join(signs)
    if cue("loss").search(line):
        return f"Without {question.topic}, this would no longer hold:\n{bulleted(chosen)}"
    speakers = next((pair for word, pair in SPEAKERS.items() if word in line), ("Beginner", "Expert"))
    asked = [f"What should I know about {question.topic}?", *_follow_ups(question, chosen[1:])]
    return "\n".join(f"{speakers[0]}: {ask}\n{speakers[1]}: {told}" for ask, told in zip(asked, chosen, strict=True))


def _follow_ups(question: Question, sentences: list[str]) -> list[str]:
    """What the other speaker asks before each further sentence: about a key phrase in it that is new."""
    asked, used = [], {topic.text for topic in question.topics}
    for sentence in sentences:
        known = (phrase for source in question.sources for phrase in source.phrases)
        new = next((p for p in known if p.text in sentence and p.text not in used), None)
        used.add(new.text if new else "")
        asked.append(f"And what about {new.full}?" if new else "What else is worth knowing?")
    return asked


def _lens(question: Question, chosen: list[str]) -> str:
    """The points that a field of study would ask about."""
    discipline = question.discipline
    if not discipline:
        return _plain(question, chosen)
    asks = disciplines()[discipline]
    return (
        f"{capitalised(discipline)} asks {asks}. For {question.topic}, these points bear on that:\n{bulleted(chosen)}"
    )


def _conclusion(question: Question) -> str:
    """A closing inference, where the wording asks for one and tells what it is about."""
    if not question.topics or not cue("inference").search(question.bare):
        return ""
    if len(question.topics) > 1:
        return (
            f"It follows that whoever changes {question.topics[0].full} should also look at {question.topics[1].full}."
        )
    closings = data_file("templates.toml")["closings"]
    return str(closings[len(question.first) % len(closings)]).format(a=question.topic)


SPEAKERS = {
    "student": ("Student", "Expert"),
    "neighbour": ("First neighbour", "Second neighbour"),
    "detective": ("Assistant", "Detective"),
}
SHAPED: dict[str, Callable[[Question, list[str]], str]] = {
    "multi-step": _steps,
    "critical-thinking": _both_sides,
    "creative": _told,
    "interdisciplinary": _lens,
}
