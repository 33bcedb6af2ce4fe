"""Every phase: what it hands on, and what makes it run anew."""

from __future__ import annotations

from deployments.docs.table import code, table
from fanno_core.methods.table import GENERATORS, TRANSFORMS, generator
from fanno_core.selection.table import SELECTORS, selector
from tasks import (
    communities,
    decontaminate,
    given,
    ingest,
    instructions,
    methods,
    publish,
    responses,
    screen,
    select,
)
from tasks.phase import Phase, Step

INTRODUCTION = """# Phases

In their order. A phase is done again when its inputs have changed, its version, or what is named beside it:
settings (a section stands for all of its settings), prompts, the teacher, the encoder. Otherwise its rows come from
`work/`. Each hands on rows of its [contract](contracts.md) and rejects the others with a [reason](reasons.md).
"""


OF_METHODS = """## Of other methods, and of selectors

What a method writes, then what all of its rows are held against (`-finish`); what a selector scores and chooses."""


def every_phase() -> tuple[Phase, ...]:
    """The phases of the flow, in its order; `responses` in its widest form."""
    return (
        ingest.PHASE,
        screen.RULES,
        screen.DUPLICATES,
        screen.PRIVACY,
        screen.VERDICTS,
        communities.ENCODE,
        communities.COMMUNITIES,
        communities.QUEUE,
        instructions.SEEDS,
        instructions.NOVELTY,
        instructions.AUGMENT,
        responses.phase_of("rag+"),
        decontaminate.PHASE,
        publish.PHASE,
    )


def phases_of_methods() -> tuple[Phase, ...]:
    """The phases of other methods, and of selectors."""
    generating = [step.phase for name in GENERATORS for step in _generating(name)]
    selecting = [step.phase for name in SELECTORS for step in _selecting(name)]
    return (given.PHASE, *generating, *(methods.changing(name).phase for name in TRANSFORMS), *selecting)


def _generating(name: str) -> list[Step]:
    return [methods.writing(name), *([methods.finishing(name)] if generator(name).finish else [])]


def _selecting(name: str) -> list[Step]:
    return [*([select.scoring(name)] if selector(name).score else []), select.choosing(name)]


def page() -> str:
    """The page of phases."""
    head = ("phase", "hands on", "redone when these change")
    others = table(head, map(_row, phases_of_methods()))
    return f"{INTRODUCTION}\n{table(head, map(_row, every_phase()))}\n\n{OF_METHODS}\n\n{others}\n"


def _row(phase: Phase) -> tuple[str, ...]:
    contract = phase.contract.__name__
    causes = [", ".join(map(code, phase.settings))] if phase.settings else []
    if phase.prompts:
        causes.append(f"prompts {', '.join(map(code, phase.prompts))}")
    if phase.asks_teacher:
        causes.append("the teacher")
    if phase.encodes:
        causes.append("the encoder")
    return code(f"{phase.name}@{phase.version}"), f"[{contract}](contracts.md#{contract.lower()})", "; ".join(causes)
