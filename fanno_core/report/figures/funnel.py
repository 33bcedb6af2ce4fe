"""The funnel as two waterfalls: documents to those that were written from, instructions to rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import altair as alt

from fanno_core.report.figures.figure import ROW_HEIGHT, Figure, chart_of, drawn
from fanno_core.report.numbers import FunnelPhase

WRITERS = {"ingest": "segments read", "seeds": "seeds written", "augment": "augmentation written"}
"""Phases whose candidates are new; those of all others come from the phase before."""
FIRST_OF_INSTRUCTIONS = "seeds"
KEPT, REJECTED = "kept", "rejected"
SIDES: Mapping[str, tuple[str, Literal["left", "right"], int]] = {
    "after": ("label", "left", 6),
    "inside": ("on-category", "right", -6),
    "before": ("label", "right", -6),
}
"""Style, alignment and distance of the count of a bar, by where it stands."""
LABEL_LIMIT = "containerSize()[0] < 500 ? 150 : 240"


@dataclass(frozen=True, slots=True)
class Step:
    """A bar of a waterfall: from how many to how many, and what that is called."""

    label: str
    kind: str
    start: int
    end: int
    text: str


def funnel_figures(funnel: Sequence[FunnelPhase]) -> list[Figure]:
    """A waterfall of documents and one of instructions; only those that have a bar."""
    names = [phase.name for phase in funnel]
    cut = names.index(FIRST_OF_INSTRUCTIONS) if FIRST_OF_INSTRUCTIONS in names else len(names)
    parts = [
        ("funnel-documents", "Segments of documents: what was read, rejected and kept", "documents left", funnel[:cut]),
        ("funnel-instructions", "Instructions: what was written, rejected and kept", "rows", funnel[cut:]),
    ]
    return [_figure(name, title, left, phases) for name, title, left, phases in parts if phases]


def steps_of(phases: Sequence[FunnelPhase], left: str) -> list[Step]:
    """The bars from the first candidates to what is left: one up for each writer, one down for each reason.

    Args:
        phases: in their order.
        left: what the rows that came through are called.
    """
    return [*_ups_and_downs(phases), Step(left, KEPT, 0, phases[-1].kept, f"{phases[-1].kept:,}")]


def _ups_and_downs(phases: Sequence[FunnelPhase]) -> Iterator[Step]:
    there = 0
    for phase in phases:
        start = there if phase.name in WRITERS else 0
        there = start + phase.candidates
        if phase.name in WRITERS:
            yield Step(WRITERS[phase.name], KEPT, start, there, f"+{phase.candidates:,}")
        for reason, count in sorted(phase.rejected.items(), key=lambda item: (-item[1], item[0])):
            yield Step(f"{phase.name}: {reason.replace('_', ' ')}", REJECTED, there, there - count, f"−{count:,}")
            there -= count


def _figure(name: str, title: str, left: str, phases: Sequence[FunnelPhase]) -> Figure:
    steps = steps_of(phases, left)
    peak = max(max(step.start, step.end) for step in steps)
    values = [asdict(step) | _written_at(step, peak) for step in steps]
    axis = alt.Axis(labelLimit=alt.ExprRef(LABEL_LIMIT), ticks=False, domain=False)
    base = chart_of(values).encode(
        y=alt.Y("label:N", sort=[step.label for step in steps], title=None, axis=axis),
        tooltip=[alt.Tooltip("label:N", title="step"), alt.Tooltip("text:N", title="count")],
    )
    bars = base.mark_bar(cornerRadius=2, height={"band": 0.72}).encode(
        x=alt.X("start:Q", title="count", scale=alt.Scale(domain=[0, peak or 1], nice=True)),
        x2="end:Q",
        color=alt.Color("kind:N", title=None, scale=alt.Scale(domain=[KEPT, REJECTED])),
    )
    texts = [
        base.mark_text(style=style, align=align, dx=dx)
        .transform_filter(f"datum.side == '{side}'")
        .encode(x="at:Q", text="text:N")
        for side, (style, align, dx) in SIDES.items()
    ]
    rejected = sum(sum(phase.rejected.values()) for phase in phases)
    says = f"{phases[-1].kept:,} {left}, {rejected:,} rejected{_foremost(steps)}."
    return Figure(name, title, says, drawn(alt.layer(bars, *texts), ROW_HEIGHT * len(steps)), wide=True)


def _written_at(step: Step, peak: int) -> dict[str, Any]:
    """Where the count stands so that no edge cuts it off: after short bars, else inside or before."""
    far = max(step.start, step.end)
    if far < peak / 2:
        return {"side": "after", "at": far}
    return {"side": "inside", "at": far} if step.kind == KEPT else {"side": "before", "at": step.end}


def _foremost(steps: Sequence[Step]) -> str:
    down = [step for step in steps if step.kind == REJECTED]
    return f"; most by {max(down, key=lambda step: step.start - step.end).label}" if down else ""
