"""What the generating methods ask for: lists of tasks, instances, problems, and the way back from a document.

A list goes on with wordings about the key phrases of the tasks that it shows; since these wordings are known, so are
the answers. They are plain advice on how to go about a task: this teacher knows nothing of the world.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from fanno_core.teachers.extractive.analysis import analyse
from fanno_core.teachers.extractive.central import terms_of
from fanno_core.teachers.extractive.instructions import different_instruction, seed_instruction
from fanno_core.teachers.extractive.lexicon import data_file
from fanno_core.teachers.extractive.responses import respond
from fanno_core.teachers.extractive.verdicts import document_advertisement, document_quality
from fanno_core.teachers.extractive.wording import Draw, filled

FORMS = ("It is an imperative.", "It is a question.")
ELSE = "Take it in steps: say in one sentence what is wanted, do the part that is clear, and check it against the wish."
"""The answer to a task of any other wording."""
CLASSIFICATION = re.compile(
    r"\b(?:classify|categori[sz]e|identify (?:the )?(?:sentiment|type)|(?:true|correct|yes) or (?:false|incorrect|no)"
    r"|say whether|determine (?:if|whether)|(?:positive|negative) or)\b",
    re.IGNORECASE,
)


def tasks(fields: Mapping[str, str]) -> str:
    """Further tasks of a numbered list, from `first` to `last`."""
    shown = re.findall(r"^\d+\. (.+)$", fields.get("examples", ""), re.MULTILINE)
    first, last = _numbers(fields)
    return "\n".join(f"{first + place}. {task}" for place, task in enumerate(_tasks(shown, last - first + 1)))


def blocks(fields: Mapping[str, str]) -> str:
    """Further tasks of a list in which each has its input and output."""
    shown = re.findall(r"^\d+\. Instruction: (.+)$", fields.get("examples", ""), re.MULTILINE)
    first, last = _numbers(fields)
    parts = []
    for number, task in enumerate(_tasks(shown, last - first + 1), first):
        given, output = _answers(task)[0]
        parts.append(
            f"###\n{number}. Instruction: {task}\n{number}. Input:\n{given or '<noinput>'}\n{number}. Output:\n{output}"
        )
    return "\n".join(parts)


def classification(fields: Mapping[str, str]) -> str:
    """Yes or no: whether an instruction asks for a label."""
    return "Yes" if CLASSIFICATION.search(fields.get("instruction", "")) else "No"


def input_first(fields: Mapping[str, str]) -> str:
    """Instances of a task, each with its input before its output."""
    pairs = _answers(fields.get("instruction", ""))[: _count(fields)]
    return "\n\n".join(
        f"Example {number}\nInput: {given or 'none'}\nOutput: {output}"
        for number, (given, output) in enumerate(pairs, 1)
    )


def output_first(fields: Mapping[str, str]) -> str:
    """Instances of a classification task, each with its label before its input."""
    pairs = _answers(fields.get("instruction", ""))[: _count(fields)]
    return "\n\n".join(f"Class label: {output}\nInput: {given or 'none'}" for given, output in pairs)


def problem(fields: Mapping[str, str]) -> str:
    """A problem inspired by a fragment, and its solution from the fragment's own sentences."""
    document = fields.get("document", "")
    asked = different_instruction({"document": document, "form_rule": Draw(document).choose(FORMS)})
    solution = respond({"instruction": asked, "document": document})
    return f"[Problem Description]\n{asked}\n\n[Solution]\n{solution}"


def backwards(fields: Mapping[str, str]) -> str:
    """An instruction that a document may answer: about its best key phrase."""
    document = fields.get("document", "")
    return seed_instruction({"document": document, "task_type": "closed-book-qa", "form": "imperative"})


def pair_score(fields: Mapping[str, str]) -> str:
    """How well a document answers an instruction, 1 to 5: by its quality, its advertising, and the words they share."""
    document, asked = fields.get("document", ""), set(terms_of(fields.get("instruction", "")))
    shared = len(asked & set(terms_of(document))) / max(1, len(asked))
    worth = document_quality(fields) * (1 - document_advertisement(fields)) * min(1.0, 0.6 + shared)
    return f"It shares {shared:.0%} of the words of the instruction.\nScore: {1 + min(4, int(5 * worth))}"


def _numbers(fields: Mapping[str, str]) -> tuple[int, int]:
    """Numbers of the first and the last task asked for; one task where they are no numbers."""
    first, last = (
        int(value) if value.isdecimal() else 1 for value in (fields.get("first", ""), fields.get("last", ""))
    )
    return first, max(first, last)


def _count(fields: Mapping[str, str]) -> int:
    count = fields.get("count", "")
    return int(count) if count.isdecimal() else 1


def _tasks(shown: Sequence[str], count: int) -> list[str]:
    """New tasks about the key phrases of those that are shown, each wording once before one comes again."""
    phrases = [phrase.text for phrase in analyse("\n".join(f"{task.rstrip('.?!:')}." for task in shown)).phrases]
    phrases = list(dict.fromkeys([*phrases, *data_file("templates.toml")["fallback"]["phrases"]]))
    kinds, draw = data_file("generated.toml")["kinds"], Draw("tasks", *shown)
    drawn = [kind for _ in range(-(-count // len(kinds))) for kind in draw.sample(kinds, len(kinds))]
    pairs = (draw.sample(phrases, 2) for _ in range(count))
    return [filled(kind["wording"], {"a": a, "b": b}) for kind, (a, b) in zip(drawn, pairs, strict=False)]


def _answers(instruction: str) -> list[tuple[str, str]]:
    """Inputs, empty where there is none, and outputs for an instruction of a known wording; else advice in general."""
    for kind in data_file("generated.toml")["kinds"]:
        pattern = re.escape(kind["wording"]).replace(r"\{a\}", "(?P<a>.+?)").replace(r"\{b\}", "(?P<b>.+)")
        if found := re.fullmatch(pattern, instruction.strip(), re.IGNORECASE):
            slots = found.groupdict()
            return [(given.format_map(slots), filled(output, slots)) for given, output in kind["pairs"]]
    return [("", ELSE)]
