"""Requirements read from the words of an instruction, and held against a response: nothing else is known of either."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fanno_core.methods.rules.rule import Demand, Rule, Text, clauses_of
from fanno_core.methods.rules.table import RULES


@dataclass(frozen=True)
class Requirement:
    """What one sentence requires.

    Attributes:
        rule: its kind.
        demands: its clauses.
    """

    rule: Rule
    demands: Sequence[Demand]

    def holds(self, text: Text) -> bool:
        """Whether the response keeps it."""
        return self.rule.holds(text, self.demands)


def read_requirements(instruction: str) -> tuple[list[Requirement], str]:
    """The requirements above and below an instruction, from the outside to the inside, and the instruction without."""
    found: list[Requirement] = []
    text = instruction
    while True:
        first, _, behind = text.partition("\n")
        before, _, last = text.rpartition("\n")
        for line, rest in ((first, behind), (last, before)):
            requirement = _requirement(line)
            if requirement and rest:
                found.append(requirement)
                text = rest.strip("\n")
                break
        else:
            return found, text


def unkept(instruction: str, output: str) -> list[Requirement]:
    """The requirements of an instruction that a response does not keep."""
    requirements, question = read_requirements(instruction)
    text = Text(question, output)
    return [requirement for requirement in requirements if not requirement.holds(text)]


def _requirement(line: str) -> Requirement | None:
    clauses = clauses_of(line)
    for rule in RULES.values() if clauses else ():
        demands = rule.read(clauses)
        if demands:
            return Requirement(rule, demands)
    return None
