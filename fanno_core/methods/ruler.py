"""RuleR: requirements are added to a row's instruction, and its response is edited by rule so that it keeps them.

Source: Li et al., RuleR (arXiv 2406.15938), and its published code (MingLiiii/RuleR e166a59).

Covered: its 26 rules, passes over the rows, the share that is augmented, up to three rules a row, the input folded into
the instruction, the four places of a requirement. The sentences are our own. Nobody is asked.

Not as in the published code: every requirement is read back from the instruction and held against the final response;
a rule that would break another is left out, and so is one whose count is open to doubt; what edits comes before what
counts, so that counts are of the final text; `fewer than` and `more than` are never off by none; commas and full stops
are replaced as marks, never as words; words are found whole; bullet points are `1.`, `1)`, `-`, `*` or `•`; code is
fenced or made of lines of code, and stays as it is; no requirement is empty; what stays as it is is kept once and not
once a pass. Adjectives, nouns and verbs are those of TextBlob's tagger, which counts names as nouns, where the
published code has spaCy's.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from random import Random

from pydantic import Field

from fanno_core.methods.contract import Origin, Transform
from fanno_core.methods.rewriting import descendant
from fanno_core.methods.rules.code import is_code
from fanno_core.methods.rules.measures import bullet_spans
from fanno_core.methods.rules.reading import Requirement, read_requirements, unkept
from fanno_core.methods.rules.rule import Rule, Stage, Text, wording_table
from fanno_core.methods.rules.table import RULES
from fanno_core.methods.rules.wrapping import holds_a_label
from fanno_core.outcome import Outcome
from fanno_core.store.contracts import Example, question_of
from fanno_core.tools import Options, Tools

NAME = "ruler"
FEWEST_BULLETS = 3
"""Bullet points from which on a response may have requirements about them."""


class RulerOptions(Options):
    """Defaults are those of RuleR's published code."""

    passes: int = Field(2, ge=1, le=1000, description="passes over the rows, each with requirements of its own")
    augment_rate: float = Field(0.9, ge=0, le=1, description="share of rows that get requirements in a pass")
    most_rules: int = Field(3, ge=1, le=len(RULES), description="most requirements that a row gets")


def verify_row(row: Example) -> list[str]:
    """The names of the rules that a row does not keep, read from its instruction; empty for a row that keeps all."""
    return [requirement.rule.name for requirement in unkept(row.instruction, row.output)]


async def change(rows: Sequence[Example], tools: Tools, options: RulerOptions) -> Outcome[Example]:
    """Each row with requirements, once a pass; a row that gets none in some pass stays, once, as it is.

    Args:
        rows: in any order.
        tools: their seed; nobody is asked.
        options: as they are described there.
    """
    kept: dict[str, Example] = {}
    for number in range(1, options.passes + 1):
        for row in rows:
            made = _augmented(row, number, tools.seed, options)
            kept[made.id] = made
    return Outcome(list(kept.values()), [], len(kept))


def required(text: Text, most: int, random: Random) -> tuple[Text, list[Requirement]]:
    """The response edited to keep up to so many requirements, and these; none where no rule suits it.

    Args:
        text: an instruction with its response.
        most: how many requirements there are at most; how many are tried is drawn.
        random: what draws.
    """
    bullets = len(bullet_spans(text.output)) >= FEWEST_BULLETS
    rules = [rule for rule in RULES.values() if bullets or not rule.bullets]
    suitable = (rule for rule in random.sample(rules, len(rules)) if rule.draw(text, random))
    wanted = random.randint(1, most)
    while chosen := sorted(islice(suitable, wanted), key=_stage):
        found, requirements = _applied(text, chosen, random)
        if requirements:
            return found, requirements
    return text, []


def _stage(rule: Rule) -> Stage:
    return rule.stage


def _applied(text: Text, rules: Sequence[Rule], random: Random) -> tuple[Text, list[Requirement]]:
    """The text after those rules that suit it and break none before them."""
    requirements: list[Requirement] = []
    for rule in rules:
        labelled = any(holds_a_label(demand) for requirement in requirements for demand in requirement.demands)
        demands = [] if labelled and rule.stage is Stage.COUNTS else rule.draw(text, random)
        if not demands:
            continue
        changed = Text(text.question, rule.edit(text, demands))
        together = [*requirements, Requirement(rule, demands)]
        if all(requirement.holds(changed) for requirement in together):
            text, requirements = changed, together
    return text, requirements


def _augmented(row: Example, number: int, seed: int, options: RulerOptions) -> Example:
    """The row with requirements, or as it is."""
    random = Random(f"{seed}:{NAME}:{number}:{row.id}")
    text = Text(question_of(row).strip(), row.output.strip())
    has_some, _ = read_requirements(text.question)
    if random.random() >= options.augment_rate or is_code(text.output) or has_some:
        return row
    changed, requirements = required(text, options.most_rules, random)
    instruction = _instruction(text.question, requirements, random)
    if not requirements or not _reads_back(instruction, changed, requirements):
        return row
    return descendant(row, Origin(NAME, lot=number, made_from=(row.id,)), instruction, "", changed.output)


def _instruction(question: str, requirements: Sequence[Requirement], random: Random) -> str:
    """The instruction with each requirement above or below what there is, one or two line feeds away."""
    text = question
    for requirement in random.sample(requirements, len(requirements)):
        line = requirement.rule.worded(requirement.demands, random)
        gap = random.choice(("\n", "\n\n"))
        text = f"{line}{gap}{text}" if random.random() < 0.5 else f"{text}{gap}{line}"
    return text


def _reads_back(instruction: str, text: Text, requirements: Sequence[Requirement]) -> bool:
    """Whether a reader finds these requirements, this instruction, and all of them kept."""
    found, question = read_requirements(instruction)
    names = sorted(requirement.rule.name for requirement in found)
    return (
        question == text.question
        and names == sorted(requirement.rule.name for requirement in requirements)
        and all(requirement.holds(text) for requirement in found)
    )


RULER = Transform(
    name=NAME,
    meaning="requirements are added and the response is edited to keep them, each verified (RuleR); asks nobody",
    version=2,
    change=change,
    options=RulerOptions,
    wording=wording_table,
    asks=False,
)
