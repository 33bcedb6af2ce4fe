"""The instruction or the response, said again."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from fanno_core.methods.rules.rule import Demand, Rule, Stage, Text, how_often, times_of

GAP = "\n\n"
FEWEST, MOST = 2, 5
"""Times that a response is given."""


def _draw_instruction(text: Text, _: Random) -> list[Demand]:
    return [Demand()] if text.question else []


def _repeat_instruction(text: Text, _: Sequence[Demand]) -> str:
    return f"{text.question}{GAP}{text.output}"


def _instruction_repeated(text: Text, _: Sequence[Demand]) -> bool:
    start = f"{text.question}{GAP}"
    return text.output.startswith(start) and bool(text.output.removeprefix(start).strip())


def _draw_response(text: Text, random: Random) -> list[Demand]:
    return [Demand(values={"times": how_often(random.randint(FEWEST, MOST))})] if text.output else []


def _repeat_response(text: Text, demands: Sequence[Demand]) -> str:
    return GAP.join([text.output] * times_of(demands[0]))


def _response_repeated(text: Text, demands: Sequence[Demand]) -> bool:
    times = times_of(demands[0])
    length, rest = divmod(len(text.output) - len(GAP) * (times - 1), times)
    return length > 0 and rest == 0 and text.output == GAP.join([text.output[:length]] * times)


RULES = (
    Rule("repeat_response", Stage.REPETITION, _draw_response, _response_repeated, _repeat_response),
    Rule("repeat_instruction", Stage.REPETITION, _draw_instruction, _instruction_repeated, _repeat_instruction),
)
