"""What the transforming methods ask for: harder and rarer instructions, and rows that are criticised and rewritten.

An instruction grows by a sentence, a response by a conclusion from its own words: enough to show the methods at work.
This teacher knows nothing of the world, so it makes no row truer than it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from fanno_core.teachers.extractive.analysis import analyse
from fanno_core.teachers.extractive.central import terms_of
from fanno_core.teachers.extractive.generated import tasks
from fanno_core.teachers.extractive.lexicon import data_file
from fanno_core.teachers.extractive.wording import Draw, lower_first
from fanno_core.text import sentences_of, words_of

Writer = Callable[[Mapping[str, str]], str]
SHORT_ANSWER = 12
"""Words up to which an answer has nothing that could be summed up."""


def harder(kind: str) -> Writer:
    """A writer of instructions with one more sentence of a kind: constraints, deepen, concretize or reasoning."""
    return lambda fields: _grown(fields.get("instruction", ""), kind, fields.get("input", ""))


def with_data(fields: Mapping[str, str]) -> str:
    """The instruction with a table of its key phrases to work on."""
    text = f"{fields.get('instruction', '')}\n{fields.get('input', '')}"
    lines = [f"{phrase},{len(words_of(phrase))}" for phrase in _phrases(text)[:3]]
    instruction = _grown(fields.get("instruction", ""), "complicate").replace("\n", " ")
    return "\n".join([instruction, *filter(None, [fields.get("input", "")]), "phrase,words", *lines])


def rarer(fields: Mapping[str, str]) -> str:
    """Another task about the key phrases of an instruction."""
    shown = fields.get("instruction", "").partition("\n")[0]
    return tasks({"examples": f"1. {shown}", "first": "2", "last": "2"}).partition(". ")[2]


def equal(fields: Mapping[str, str]) -> str:
    """1 where the second instruction has at most one content word that the first has not, 0 otherwise."""
    new = set(terms_of(fields.get("evolved", ""))) - set(terms_of(fields.get("instruction", "")))
    return "1" if len(new) < 2 else "0"


def merged(fields: Mapping[str, str]) -> str:
    """Instruction and input, one after the other."""
    first, given = (fields.get(name, "").strip() for name in ("instruction", "input"))
    return f"[New Instruction] {_ended(first)}\n{given} [End]"


def reflected_question(fields: Mapping[str, str]) -> str:
    """A critique, a harder instruction, and its answer."""
    instruction, output = fields.get("instruction", ""), fields.get("output", "")
    asked = len(words_of(instruction))
    return (
        f"1. The instruction has {asked} words, asks for no depth, and so leads to an answer that has none.\n"
        f"2. [New Instruction] {_grown(instruction, 'deepen')} [End]\n"
        f"3. [New Answer] {_better(instruction, output)} [End]"
    )


def reflected_answer(fields: Mapping[str, str]) -> str:
    """A critique, and the answer with a conclusion."""
    instruction, output = fields.get("instruction", ""), fields.get("output", "")
    return (
        f"1. The answer has {len(words_of(output))} words and draws no conclusion.\n"
        f"2. [Better Answer] {_better(instruction, output)} [End]"
    )


def _grown(instruction: str, kind: str, given: str = "") -> str:
    """The instruction with one more sentence after its first line, one that it does not have yet."""
    first, line_feed, rest = instruction.strip().partition("\n")
    wordings: Sequence[str] = data_file("transformed.toml")["sentences"][kind]
    draw = Draw(kind, instruction)
    left = [wording for wording in wordings if wording.partition("{a}")[0] not in instruction] or wordings
    phrase = draw.choose(_phrases(f"{instruction}\n{given}"))
    return f"{_ended(first)} {draw.choose(left).format(a=phrase)}{line_feed}{rest}"


def _better(instruction: str, output: str) -> str:
    """The answer with its most central sentence once more at its end; a short one with what it is about before it."""
    sentences = analyse(output).quotable
    if len(words_of(output)) <= SHORT_ANSWER or len(sentences_of(output)) < 2 or not sentences:
        phrase = next((phrase.full for phrase in analyse(instruction).phrases), "the question")
        leads = (f"On {phrase}:", "In short:", "To be precise:", "Briefly put:")
        lead = next((lead for lead in leads if lead not in output), leads[-1])
        return f"{lead} {output.strip() or 'nothing is known.'}"
    central = max(sentences, key=lambda sentence: sentence.weight)
    return f"{output.rstrip()}\n\nAbove all, {lower_first(central.text)}"


def _phrases(text: str) -> list[str]:
    """Key phrases, best first; never none."""
    found = [phrase.full for phrase in analyse(text).phrases]
    fallback: list[str] = data_file("templates.toml")["fallback"]["phrases"]
    return found or fallback


def _ended(sentence: str) -> str:
    """The sentence with something at its end."""
    text = sentence.rstrip()
    return text if not text or text[-1] in ".?!:;\"'”)" else f"{text}."
