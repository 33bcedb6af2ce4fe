"""Every phase: what it hands on, and what makes it run anew."""

from __future__ import annotations

from deployments.docs.table import code, table
from tasks import communities, decontaminate, ingest, instructions, publish, responses, screen
from tasks.phase import Phase

INTRODUCTION = """# Phases

In their order. A phase is done again when its inputs have changed, its version, or what is named beside it:
settings (a section stands for all of its settings), prompts, the teacher, the encoder. Otherwise its rows come from
`work/`. Each hands on rows of its [contract](contracts.md) and rejects the others with a [reason](reasons.md).
"""


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


def page() -> str:
    """The page of phases."""
    return f"{INTRODUCTION}\n{table(('phase', 'hands on', 'redone when these change'), map(_row, every_phase()))}\n"


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
