"""A data set whose verbs, languages, personal data and benchmark overlaps are known, since it was made of them.

It is published by the real writer over a copy of a finished run, whose rows lend it their ids and vectors.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from fanno_core.dataset.card import Provenance
from fanno_core.dataset.made import open_made
from fanno_core.dataset.publish import publish_dataset
from fanno_core.store.contracts import Floats
from fanno_core.store.ledger import Entry, Store
from tests.report import plain

TOPICS = ("rivers", "bridges", "glaciers", "volcanoes", "libraries", "harbours", "orchards", "telescopes")
FORMS = (  # how it is asked, and the verbs in it besides the one that is asked for
    ("{Verb} a {object} about {topic}.", 0),
    ("Please {verb} the {object} of {topic}.", 0),
    ("I want you to {verb} a {object} on {topic}.", 1),
    ("Your task is to {verb} the {object} with {topic}.", 0),
    ("In one sentence, {verb} a {object} about {topic}.", 0),
    ("Could you {verb} a {object} on {topic}?", 0),
    ("{Verb} a {object} that explains {topic}.", 1),
    ("{Verb} the {object}, and describe what happens to {topic}.", 2),
)
ASKED = {  # verb: its objects, and how often each
    "write": {"story": 9, "poem": 7, "letter": 5, "report": 4, "speech": 3, "song": 2},
    "describe": {"scene": 6, "journey": 5, "place": 4},
    "explain": {"rule": 6, "method": 4},
    "create": {"table": 5, "poster": 3},
    "compose": {"melody": 5, "verse": 2},
    "summarise": {"article": 6},
    "identify": {"mistake": 5},
    "provide": {"example": 5},
    "suggest": {"title": 4},
    "compare": {"plan": 4},
    "draw": {"map": 4},
    "find": {"solution": 4},
    "design": {"garden": 3},
    "list": {"advantage": 3},
    "rewrite": {"sentence": 3},
    "sketch": {"portrait": 3},
    "draft": {"contract": 3},
    "rank": {"city": 3},
    "name": {"author": 3},
    "translate": {"phrase": 3},
    "imagine": {"festival": 2},
    "propose": {"slogan": 1},
}
WITHOUT_OBJECT = (("Write about {topic}.", "write", 1), ("Explain how {topic} change.", "explain", 2))
WITHOUT_VERB = "What is the meaning of {topic}?"
ANSWER = "This answer tells in plain words what everybody should know about {topic} and the people who live there."
REFUSALS = ("I'm sorry, but I cannot help with that.", "As an AI language model, I am unable to write about {topic}.")
PERSONAL = (  # what is added to the answer or is the input, and the kinds that it holds
    ("Write to maria.lopez@example.org.", {"email"}),
    ("Both a.b@example.com and c_d@mail.example.net know.", {"email"}),
    ("Call +44 20 7946 0958 at noon.", {"phone"}),
    ("Her phone is (415) 555-2671, her mail jo@example.org.", {"phone", "email"}),
    ("The card 4111 1111 1111 1111 was used.", {"card"}),
    ("Pay to DE89 3704 0044 0532 0130 00 today.", {"iban"}),
    ("The social security number was 536-22-1234.", {"ssn"}),
    ("The server at 151.101.1.69 replied.", {"ip_address"}),
    ("The key was AKIAIOSFODNN7EXAMPLE once.", {"api_key"}),
    # None of these is anybody's.
    ("The book has ISBN 978-3-16-148410-0.", set()),
    ("The card 4111 1111 1111 1112 is none.", set()),
    ("Pay to DE89 3704 0044 0532 0130 01 never.", set()),
    ("The router is 192.168.0.1 at home.", set()),
    ("In version 4.12.3 of 2024-05-17 it works for 1,250,000 people.", set()),
    ("Follow @maria on any of these networks.", set()),
)
FOREIGN = {  # instruction and answer; verbs are read in English alone
    "de": ("Schreibe eine Geschichte über den alten Fluss.", "Der Fluss entspringt in den Bergen und fließt ins Meer."),
    "fr": (
        "Écris une histoire sur le vieux fleuve.",
        "Le fleuve prend sa source dans les montagnes et va vers la mer.",
    ),
    "es": ("Escribe un cuento sobre el viejo río.", "El río nace en las montañas y corre despacio hacia el mar."),
    "it": ("Scrivi una storia sul vecchio fiume.", "Il fiume nasce tra le montagne e scorre lentamente verso il mare."),
    "nl": ("Schrijf een verhaal over de oude rivier.", "De rivier ontspringt in de bergen en stroomt naar de zee."),
}
NEAR, NEAR_ROW = "A question that no row shares a word of, although its vector is a row's.", 5
BENCHMARK = (
    f"Someone copied it: {ANSWER.format(topic=TOPICS[0]).lower()} Who was it?",
    WITHOUT_VERB.format(topic=TOPICS[1]),
    " ".join(ANSWER.format(topic=TOPICS[2]).split()[:12]),  # a word less than counts
    NEAR,
)
FOREIGN_ROWS = 3
NO_LANGUAGE = ("12 + 30 = ?", "42")
FOREIGN_ITERATION = 9


@dataclass(frozen=True)
class PlantedRow:
    """A row, and what was put into it: its language, its personal data, what it asks for, and how many verbs it has."""

    instruction: str
    output: str
    input: str = ""
    language: str = "en"
    kinds: frozenset[str] = frozenset()
    verb: str = ""
    object: str = ""
    verbs: int = 0
    refused: bool = False


@dataclass(frozen=True)
class Planted:
    """The output folder, its rows in the order of the data set, and a file of benchmark texts."""

    out: Path
    rows: list[PlantedRow]
    benchmark: Path


def planted_rows() -> list[PlantedRow]:
    """All of them, in an order that mixes forms, topics and personal data; those in no English come last."""
    asked = [
        *(row for verb, objects in ASKED.items() for row in _asked(verb, objects)),
        *(
            PlantedRow(text.format(topic=topic), "", verb=verb, verbs=verbs)
            for text, verb, verbs in WITHOUT_OBJECT
            for topic in TOPICS[:4]
        ),
        *(PlantedRow(WITHOUT_VERB.format(topic=topic), "") for topic in TOPICS),
    ]
    return [*_answered(asked), *_foreign()]


def _asked(verb: str, objects: dict[str, int]) -> Iterator[PlantedRow]:
    for thing, count in objects.items():
        for number in range(count):
            # Each verb begins with another form, so that every form is met with most verbs.
            text, more = FORMS[(number + len(verb) + len(thing)) % len(FORMS)]
            topic = TOPICS[number % len(TOPICS)]
            instruction = text.format(verb=verb, Verb=verb.capitalize(), object=thing, topic=topic)
            yield PlantedRow(instruction, "", verb=verb, object=thing, verbs=1 + more)


def _answered(rows: Sequence[PlantedRow]) -> Iterator[PlantedRow]:
    for number, row in enumerate(rows):
        # Every second row holds one of the texts, in turn.
        personal, kinds = PERSONAL[number // 2 % len(PERSONAL)] if number % 2 else ("", set())
        refused = number % 40 == 0
        answer = (REFUSALS[number // 40 % 2] if refused else ANSWER).format(topic=TOPICS[number % len(TOPICS)])
        given, told = (personal, answer) if number % 4 == 3 else ("", f"{answer} {personal}".strip())
        yield replace(row, input=given, output=told, kinds=frozenset(kinds), refused=refused)


def _foreign() -> Iterator[PlantedRow]:
    for language, (instruction, answer) in (FOREIGN | {"und": NO_LANGUAGE}).items():
        yield from [PlantedRow(instruction, answer, language=language)] * FOREIGN_ROWS


def benchmark_vectors(texts: Sequence[str], out: Path) -> Floats:
    """A unit vector of each text of the benchmark: that of a row for the one that is called so, else one of its own."""
    rows = plain.vectors(out)
    apart = -rows.mean(axis=0) / np.linalg.norm(rows.mean(axis=0))
    vectors = [rows[NEAR_ROW] if text == NEAR else apart for text in texts]
    return np.array(vectors, np.float32).reshape(len(texts), rows.shape[1])


def publish_planted(finished: Path, out: Path) -> Planted:
    """The rows, published in a copy of a finished run, and a benchmark file beside it."""
    shutil.copytree(finished, out)
    made, planted = open_made(out), planted_rows()
    lent = made.examples()[: len(planted)]
    assert len(lent) == len(planted), "the run has fewer rows than are planted"
    rows = [
        replace(
            row,
            instruction=each.instruction,
            input=each.input,
            output=each.output,
            flags=("link", "script")[: number % 3],
            iteration=row.iteration if each.language == "en" else FOREIGN_ITERATION,
        )
        for number, (row, each) in enumerate(zip(lent, planted, strict=True))
    ]
    provenance = Provenance(
        str(made.teacher), "", made.record["encoder"], "direct", made.settings.run.seed, ("en",), []
    )
    files, others = publish_dataset(rows, out, made.settings.publish, provenance)
    Store(out).record(Entry("publish", "planted", len(rows), len(rows), files, (), others))
    manifest = json.loads((out / "dataset/manifest.json").read_text())
    told = {"rows": manifest["rows"], "digest": manifest["digest"]}
    record = {**made.record, "dataset": {**made.record["dataset"], **told}}
    record["work"] = {**record["work"], "publish": ["planted"]}
    (out / "run.json").write_text(json.dumps(record))
    benchmark = out.parent / "benchmark.txt"
    benchmark.write_text("\n".join(BENCHMARK))
    return Planted(out, planted, benchmark)
