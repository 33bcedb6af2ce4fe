"""Marks around words, sentences, bullet points, paragraphs, the instruction or the response."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from fanno_core.methods.rules.choices import drawn_places, drawn_words, named_spans
from fanno_core.methods.rules.measures import (
    Span,
    bullet_spans,
    paragraph_spans,
    paragraphs_are_clear,
    sentence_spans,
    sentences_are_clear,
    whole_word,
)
from fanno_core.methods.rules.repetition import GAP
from fanno_core.methods.rules.rule import Demand, Rule, Stage, Text, ordinal

Marks = tuple[str, str]
BRACKETS: tuple[Marks, ...] = (
    ("(", ")"), ("((", "))"), ("[", "]"), ("[[", "]]"), ("<", ">"), ("<<", ">>"), ("|", "|"), ("[|", "|]"),
    ("<|", "|>"), ("||", "||"), ("|-|", "|-|"), ("-|", "|-"), ("-", "-"), ("#", "#"), ("###", "#"), ("##", "#"),
    ("\\", "\\"), ("\\", "/"), ("/", "\\"), ("*", "*"), ("**", "**"), ("***", "***"), ("***", "*"), ("**", "*"),
    ("@", "@"), ("@@", "@@"), ("@@@", "@"), ("$", "$"), ("$$", "$$"), ("$$$", "$"),
)  # fmt: skip
LABELS: tuple[Marks, ...] = (
    ("BEGIN", "END"), ("START", "END"), ("RESPONSE", "END"), ("RESPONSE", "CLOSE"), ("OPEN", "CLOSE"),
    ("INITIATE", "TERMINATE"), ("ENTRY", "EXIT"), ("LAUNCH", "CONCLUDE"), ("COMMENCE", "COMPLETE"),
    ("START POINT", "END POINT"), ("ORIGIN", "DESTINATION"), ("KICKOFF", "WRAP UP"), ("RES_START", "RES_END"),
    ("RES_BEGIN", "RES_END"), ("RES", "/RES"), ("BEGIN", "FINISH"), ("ACTIVATE", "DEACTIVATE"),
    ("BEGINNING", "CLOSURE"), ("STARTUP", "SHUTDOWN"), ("INIT", "FINALIZE"), ("BOOT", "HALT"),
    ("ENGAGE", "DISENGAGE"), ("LAUNCH", "LAND"), ("BEGIN_ACTION", "END_ACTION"), ("START_SESSION", "END_SESSION"),
    ("ON", "OFF"), ("TRIGGER", "STOP"), ("INITIATE_PROCESS", "TERMINATE_PROCESS"),
    ("STARTUP_SEQUENCE", "SHUTDOWN_SEQUENCE"), ("OPEN_SESSION", "CLOSE_SESSION"),
)  # fmt: skip


def holds_a_label(demand: Demand) -> bool:
    """Whether its marks are words, of which nobody knows whether they count as words of the response."""
    return any(character.isalpha() for character in demand.values.get("left", ""))


def _drawn_marks(text: Text, random: Random, labelled: bool) -> dict[str, str]:
    """Marks that do not stand in the response yet; nothing where there are none."""
    brackets = [marks for marks in BRACKETS if not any(character in text.output for character in "".join(marks))]
    if not brackets:
        return {}
    left, right = random.choice(brackets)
    if labelled and random.random() < 0.5:
        opening, closing = random.choice(LABELS)
        other_left, other_right = random.choice(brackets)
        left, right = f"{left}{opening}{right}", f"{other_left}{closing}{other_right}"
    return {"left": left, "right": right}


def _marks(demand: Demand) -> Marks:
    return demand.values["left"], demand.values["right"]


def _is_wrapped(text: str, demand: Demand) -> bool:
    left, right = _marks(demand)
    inner = text[len(left) : len(text) - len(right)]
    # A mark inside would close the wrapping before its end.
    return bool(inner) and text == f"{left}{inner}{right}" and left not in inner and right not in inner


def _draw_words(text: Text, random: Random) -> list[Demand]:
    marks = _drawn_marks(text, random, labelled=False)
    return [Demand(values={"word": word} | marks) for word in drawn_words(text, random)] if marks else []


def _wrap_words(text: Text, demands: Sequence[Demand]) -> str:
    output = text.output
    for demand in demands:
        left, right = _marks(demand)
        output = whole_word(demand.values["word"]).sub(lambda found: f"{left}{found[0]}{right}", output)  # noqa: B023
    return output


def _words_wrapped(text: Text, demands: Sequence[Demand]) -> bool:
    return all(_word_wrapped(text.output, demand) for demand in demands)


def _word_wrapped(output: str, demand: Demand) -> bool:
    left, right = _marks(demand)
    found = list(whole_word(demand.values["word"]).finditer(output))
    return bool(found) and all(
        output.endswith(left, 0, word.start()) and output.startswith(right, word.end()) for word in found
    )


def _part_rule(
    name: str,
    spans: Callable[[str], list[Span]],
    clear: Callable[[str], bool],
    fewest: int,
    labelled: bool = False,
    bullets: bool = False,
) -> Rule:
    def draw(text: Text, random: Random) -> list[Demand]:
        parts = len(spans(text.output)) if clear(text.output) else 0
        marks = _drawn_marks(text, random, labelled) if parts >= fewest else {}
        places = drawn_places(parts, random) if marks else []
        return [Demand(values={"which": ordinal(place + 1)} | marks) for place in places]

    def edit(text: Text, demands: Sequence[Demand]) -> str:
        output = text.output
        found = named_spans(spans(output), demands)
        for (start, end), demand in reversed(list(zip(found, demands, strict=False))):
            left, right = _marks(demand)
            output = f"{output[:start]}{left}{output[start:end]}{right}{output[end:]}"
        return output

    def holds(text: Text, demands: Sequence[Demand]) -> bool:
        found = [text.output[start:end] for start, end in named_spans(spans(text.output), demands)]
        return len(found) == len(demands) and all(map(_is_wrapped, found, demands))

    return Rule(name, Stage.MARKS, draw, holds, edit, bullets=bullets)


def _draw_labelled(text: Text, random: Random) -> list[Demand]:
    marks = _drawn_marks(text, random, labelled=True)
    return [Demand(values=marks)] if marks else []


def _wrap_response(text: Text, demands: Sequence[Demand]) -> str:
    left, right = _marks(demands[0])
    return f"{left}{text.output}{right}"


def _response_wrapped(text: Text, demands: Sequence[Demand]) -> bool:
    return _is_wrapped(text.output, demands[0])


def _wrap_instruction(text: Text, demands: Sequence[Demand]) -> str:
    left, right = _marks(demands[0])
    return f"{left}{text.question}{right}{GAP}{text.output}"


def _instruction_wrapped(text: Text, demands: Sequence[Demand]) -> bool:
    left, right = _marks(demands[0])
    start = f"{left}{text.question}{right}{GAP}"
    return text.output.startswith(start) and bool(text.output.removeprefix(start).strip())


RULES = (
    Rule("wrap_word", Stage.MARKS, _draw_words, _words_wrapped, _wrap_words),
    _part_rule("wrap_sentence", sentence_spans, sentences_are_clear, fewest=2),
    _part_rule("wrap_bullet", bullet_spans, bool, fewest=1, bullets=True),
    _part_rule("wrap_paragraph", paragraph_spans, paragraphs_are_clear, fewest=1, labelled=True),
    Rule("wrap_response", Stage.REPETITION, _draw_labelled, _response_wrapped, _wrap_response),
    Rule("wrap_instruction", Stage.REPETITION, _draw_labelled, _instruction_wrapped, _wrap_instruction),
)
