"""Instructions: seeds from a combination of tags, and others that must be unlike what was shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from fanno_core.teachers.extractive import (
    categories,
    code,
    codes,
    entailment,
    maths,
    records,
    reword,
    sentiment,
    summary,
)
from fanno_core.teachers.extractive.analysis import analyse
from fanno_core.teachers.extractive.lexicon import data_file
from fanno_core.teachers.extractive.sentences import capitalised
from fanno_core.teachers.extractive.wording import Brief, Draw, filled, wordings

Material = Callable[[Brief, str], str]
"""What a task works on, for the lines after the instruction."""


def _translation(brief: Brief, wording: str) -> str:
    return codes.material(brief, wording) if codes.ASKED.search(wording) else reword.material(brief, wording)


TAGGED = ("document", "task_type", "characteristic", "form")

MATERIALS: dict[str, Material] = {
    "natural-language-inference": entailment.material,
    "sentiment-analysis": sentiment.material,
    "paraphrasing": reword.material,
    "structure-to-text": records.material,
    "summarisation": summary.material,
    "translation": _translation,
    "text-categorisation": categories.material,
    "code-generation": code.material,
}
"""Task types that need material; the others stand in one line."""
ROUNDS = 4
"""How often other key phrases are drawn before an opening gets a lead."""


def seed_instruction(fields: Mapping[str, str]) -> str:
    """An instruction for a document and three tags; tags that are not known count as the simplest ones."""
    document, task_type, characteristic, form = (fields.get(name, "") for name in TAGGED)
    draw = Draw(document, task_type, characteristic, form)
    brief = Brief(analyse(document), task_type, characteristic, form, draw=draw)
    if brief.task_type == "mathematics":
        return maths.instruction(brief)
    wording = brief.draw.choose(wordings(task_type, characteristic, form))
    makes = MATERIALS.get(brief.task_type)
    material = makes(brief, wording) if makes else ""
    return f"{filled(wording, brief.slots(material))}\n{material}".rstrip("\n")


def different_instruction(fields: Mapping[str, str]) -> str:
    """A two-part instruction that begins like none of the counterexamples and uses no name of the document."""
    openings = openings_of(fields)
    return next((text for text in _candidates(fields) if not text.lower().startswith(openings)), _last_resort(fields))


def openings_of(fields: Mapping[str, str]) -> tuple[str, ...]:
    """The openings to keep clear of, lower-cased: those quoted, and the first four words of each counterexample."""
    told = fields.get("openings", "")
    quoted = re.findall(r'["“]([^"”\n]+)["”]', told) or told.split(",")
    shown = re.findall(r"^\s*\d+[.)]\s*(.+)$", fields.get("counterexamples", ""), re.MULTILINE)
    openings = [opening.strip() for opening in quoted] + [" ".join(line.split()[:4]) for line in shown]
    return tuple(dict.fromkeys(opening.lower() for opening in openings if opening.strip()))


def _candidates(fields: Mapping[str, str]) -> Iterator[str]:
    """Wordings in an order that the document decides, first as they are, then with a lead."""
    document, data = fields.get("document", ""), data_file("templates.toml")["different"]
    form = (
        "interrogative"
        if re.search(r"question|interrogative", fields.get("form_rule", ""), re.IGNORECASE)
        else "imperative"
    )
    for number in range(ROUNDS):
        draw = Draw(document, fields.get("counterexamples", ""), form, str(number))
        brief = Brief(analyse(document), form=form, avoid_names=True, draw=draw)
        slots = brief.slots()
        for wording in draw.sample(data[form], len(data[form])):
            yield filled(wording, slots)
        for lead in draw.sample(data["leads"], len(data["leads"])):
            text = filled(draw.choose(data[form]), slots)
            yield capitalised(lead.format_map(slots)) + text[0].lower() + text[1:]


def _last_resort(fields: Mapping[str, str]) -> str:
    """The first candidate: every opening of ours is refused, so the filters have to decide."""
    return next(_candidates(fields))
