"""What the tiny Mistral is taught: the project's own prompts over the test corpus, and a short answer to each.

An instruction is a template that its tags choose, about the word that tells the document best from the others; that is
little enough to learn in a minute, and varied enough for the novelty filter.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from fanno_core.instructions.drafts import VERDICT_PROMPTS as INSTRUCTION_VERDICTS
from fanno_core.instructions.hard_filter import hard_reason
from fanno_core.instructions.tags import Tags, form_rules, tag_pool
from fanno_core.prompts.loader import load_prompt
from fanno_core.screening.verdicts import PROMPTS as DOCUMENT_VERDICTS
from fanno_core.teachers.verdict import NO, YES

ANGLES = {
    "multi-step": "step by step",
    "critical-thinking": "with arguments for and against",
    "creative": "in a playful way",
    "interdisciplinary": "from the view of two sciences",
}
# An imperative and a question for each task type. `$` stands for the topic, `@` for the angle.
SEEDS = {
    "natural-language-inference": (
        "Decide @ whether the claim that every $ is useful follows from the claim that some $ is useful.",
        "Does the claim that no $ is free contradict the claim that most $ cost little, seen @?",
    ),
    "commonsense": (
        "Explain @ why people care about $ in daily life.",
        "Why would somebody think of $ before starting to work, seen @?",
    ),
    "sentiment-analysis": (
        'Name the feeling in these words and justify it @: "I never liked $ at all."',
        'Which attitude do the words "I adore $" express, seen @?',
    ),
    "paraphrasing": (
        'Say this in other words and defend the choice @: "The $ was ready before noon."',
        'How else could somebody put it, told @: "The $ works without help"?',
    ),
    "closed-book-qa": (
        "Describe @ what $ means to a beginner.",
        "What is $ good for, told @?",
    ),
    "structure-to-text": (
        "Turn these facts into fluent prose @: kind $, size small, colour blue.",
        "How do these facts read as prose, told @: item $, price five coins, stock ten?",
    ),
    "summarisation": (
        'Condense this to one line and comment @: "First came $, others followed, and most people stayed."',
        'What matters most, seen @, in saying "Here $ saves time, asks for care, and pays in the end"?',
    ),
    "translation": (
        'Translate into French and discuss the wording @: "We found the $ in the garden."',
        'How does one say in German, explained @: "The $ is new and quiet"?',
    ),
    "implicit-reasoning": (
        "Work out @ what would change if $ vanished for a year.",
        "What can be inferred @ when $ fails on every Monday but never on a Sunday?",
    ),
    "text-categorisation": (
        "Assign $ to one of tools, ideas or rules and justify it @.",
        "Does $ belong to nature, craft or trade, judged @?",
    ),
    "code-generation": (
        "Write a short program about $ that reads words and prints the longest one, explained @.",
        "Which short program counts how often $ stands in a list of words, explained @?",
    ),
    "mathematics": (
        "Compute @ how many boxes hold 84 pieces of $ at 6 pieces a box.",
        "If one piece of $ costs 3 coins, how many coins do 12 pieces cost, shown @?",
    ),
}
AUGMENTED = {
    "imperative": "List four mistakes that newcomers make with $ and explain how to avoid each $ mistake.",
    "interrogative": "What are the hidden costs of $, and which of them could $ experts have foreseen?",
}
RESPONSES = (
    "It helps to begin with one clear example of $. Note what stays the same, change one thing, and look again. "
    "What remains is the rule.",
    "Yes, as far as $ is concerned: the first reason is practical, the second is a matter of habit, and both point "
    "the same way.",
    "In short, $ matters because it saves effort later. People see this once they have worked without it for a week.",
    "Start with what is known about $, then ask what is missing. Two small trials usually show which answer is right.",
    "Most people would say that $ is neither good nor bad. It depends on who uses it, how often, and for what purpose.",
)
ADVERT = "Buy our new $ now and save half the price! Order today, call for a free trial, and subscribe to our offers. "
WORD = re.compile(r"\b[a-z]{4,14}\b")
NOUN = re.compile(
    r"\b(?:an?|the|this|each|every) ([a-z]{4,14})(?=[.,;:)]| (?:is|are|of|to|for|in|and|or|that|with|can|has)\b)"
)
MOST_HOLDERS = 14
"""Documents that may share a topic."""

PRACTICE = 0.25
"""Share of the steps that only train to find the topic and to say it again, which is what is hardest to learn."""

FALLBACK = "knowledge"


@dataclass(frozen=True, slots=True)
class Lesson:
    """A prompt and what the model is to answer."""

    prompt: str
    answer: str


class Topics:
    """The word that tells a document from the others, out of a few hundred.

    Topics are chosen so that nearly every document has one and few have several, since a document with several leaves
    the model to guess.

    Args:
        documents: all of them.
    """

    def __init__(self, documents: Sequence[str]) -> None:
        self.documents = documents
        holders: dict[str, set[int]] = {}
        for place, text in enumerate(documents):
            for word in WORD.findall(text):
                holders.setdefault(word, set()).add(place)
        nouns = sorted({word for text in documents for word in NOUN.findall(text)})
        fit = {
            word: holders[word]
            for word in nouns
            if len(holders[word]) <= MOST_HOLDERS and not hard_reason(f"Describe the {word} of old times.", "word")
        }
        self._words: dict[str, None] = {}
        uncovered = set(range(len(documents)))
        while fit and (best := max(fit, key=lambda word: len(fit[word] & uncovered))) and fit[best] & uncovered:
            self._words[best] = None
            uncovered -= fit.pop(best)

    def words(self) -> list[str]:
        """Every word that may be a topic, sorted."""
        return sorted({*self._words, FALLBACK})

    def of(self, text: str) -> str:
        """The topic of a text: of its words that may be one, the most frequent, and of equals the first."""
        return next((word for word, _ in Counter(self._known(text)).most_common(1)), FALLBACK)

    def _known(self, text: str) -> list[str]:
        return [word for word in WORD.findall(text) if word in self._words]


def lessons(documents: Sequence[str], steps: int, seed: int) -> Iterator[list[Lesson]]:
    """Groups of lessons whose prompts share a beginning, one group a step; practice in finding topics comes first."""
    rng = random.Random(seed)
    topics = Topics(documents)
    practice = (_topics_of_instructions, _topics_of_documents)
    school = (
        *(_seeds, _judged_documents, _augmentation, _seeds, _topics_of_documents),
        *(_seeds, _responses, _seeds, _judged_instructions, _seeds),
    )
    for step in range(steps):
        kinds = practice if step < steps * PRACTICE else school
        yield kinds[step % len(kinds)](topics, rng)


def _seeds(topics: Topics, rng: random.Random) -> list[Lesson]:
    text = rng.choice(topics.documents)
    topic = topics.of(text)
    return [
        _lesson("seed_instruction", _seed(tags, topic), document=text, **tags.values())
        for tags in rng.sample(tag_pool(), 6)
    ]


def _judged_documents(topics: Topics, rng: random.Random) -> list[Lesson]:
    """A document and an advert, so that one is learnt beside the other."""
    text = rng.choice(topics.documents)
    advert = ADVERT.replace("$", rng.choice(topics.words())) * rng.randint(2, 4)
    return [
        _lesson(name, verdict, document=document)
        for document, verdicts in ((text, (YES, NO, NO)), (advert, (NO, YES, NO)))
        for name, verdict in zip(DOCUMENT_VERDICTS, verdicts, strict=True)
    ]


def _judged_instructions(topics: Topics, rng: random.Random) -> list[Lesson]:
    return [
        _lesson(name, verdict, instruction=instruction)
        for instruction, _ in _instructions(topics, rng, 4)
        for name, verdict in zip(INSTRUCTION_VERDICTS, (NO, NO, YES), strict=True)
    ]


def _responses(topics: Topics, rng: random.Random) -> list[Lesson]:
    return [
        _lesson("response_direct", _response(instruction, topic), instruction=instruction)
        for instruction, topic in _instructions(topics, rng, 12)
    ]


def _augmentation(topics: Topics, rng: random.Random) -> list[Lesson]:
    """Both prompts of augmentation in both forms."""
    text = rng.choice(topics.documents)
    group = []
    for form, rule in form_rules().items():
        answer = _augmented(form, topics.of(text))
        group.append(_lesson("augment_without_examples", answer, document=text, form_rule=rule))
        shots = [instruction for instruction, _ in _instructions(topics, rng, 3)]
        values = {
            "document": text,
            "form_rule": rule,
            "openings": ", ".join(f'"{" ".join(shot.split()[:4])}"' for shot in shots),
            "counterexamples": "\n".join(f"{number}. {shot}" for number, shot in enumerate(shots, 1)),
        }
        group.append(_lesson("think_different", answer, **values))
    return group


def _topics_of_instructions(topics: Topics, rng: random.Random) -> list[Lesson]:
    made = _instructions(topics, rng, 24)
    return [Lesson(f"### Instruction:\n{instruction}", f"about {topic}") for instruction, topic in made]


def _topics_of_documents(topics: Topics, rng: random.Random) -> list[Lesson]:
    return [Lesson(f"<<\n{text}\n>>", f"about {topics.of(text)}") for text in rng.sample(topics.documents, 6)]


def _instructions(topics: Topics, rng: random.Random, count: int) -> Iterator[tuple[str, str]]:
    """Instructions such as the model itself will write, each with its topic."""
    for _ in range(count):
        topic = rng.choice(topics.words())
        if rng.random() < 0.7:
            yield _seed(rng.choice(tag_pool()), topic), topic
        else:
            yield _augmented(rng.choice(sorted(AUGMENTED)), topic), topic


def _seed(tags: Tags, topic: str) -> str:
    imperative, question = SEEDS[tags.task_type.key]
    template = imperative if tags.form.key == "imperative" else question
    return template.replace("$", topic).replace("@", ANGLES[tags.characteristic.key])


def _augmented(form: str, topic: str) -> str:
    return AUGMENTED[form].replace("$", topic)


def _response(instruction: str, topic: str) -> str:
    """The instruction's first word chooses how it is answered."""
    chosen = sha256(instruction.split()[0].encode()).digest()[0] % len(RESPONSES)
    return RESPONSES[chosen].replace("$", topic)


def _lesson(prompt: str, answer: str, **values: str) -> Lesson:
    return Lesson(load_prompt(prompt).render(values), answer)
