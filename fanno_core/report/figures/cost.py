"""What a run asked of its teacher, by phase."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt

from fanno_core.report.figures.figure import ROW_HEIGHT, Figure, chart_of, drawn
from fanno_core.report.numbers import PhaseCost

KINDS = ("written", "read, not cached", "read from the cache")


def cost_figures(cost: Sequence[PhaseCost]) -> list[Figure]:
    """Tokens and seconds by phase; a figure is left out where all of it is zero."""
    return [figure for figure in (_tokens(cost), _seconds(cost)) if figure]


def _tokens(cost: Sequence[PhaseCost]) -> Figure | None:
    phases = [each for each in cost if each.prompt_tokens + each.completion_tokens]
    if not phases:
        return None
    values = [
        {"phase": each.phase, "kind": kind, "order": KINDS.index(kind), "tokens": tokens}
        for each in phases
        for kind, tokens in zip(
            KINDS,
            (each.completion_tokens, each.prompt_tokens - each.cached_tokens, each.cached_tokens),
            strict=True,
        )
    ]
    chart = (
        chart_of(values)
        .mark_bar(cornerRadiusEnd=2, height={"band": 0.72})
        .encode(
            y=_by_phase([each.phase for each in phases]),
            x=alt.X("tokens:Q", title="tokens", axis=alt.Axis(format="~s")),
            color=alt.Color("kind:N", title=None, scale=alt.Scale(domain=list(KINDS))),
            order="order:Q",
            tooltip=["phase:N", alt.Tooltip("kind:N"), alt.Tooltip("tokens:Q", format=",")],
        )
    )
    read, cached = sum(each.prompt_tokens for each in phases), sum(each.cached_tokens for each in phases)
    written = sum(each.completion_tokens for each in phases)
    says = f"{written:,} tokens written, {read:,} read, {cached / max(read, 1):.0%} of those from the cache."
    return Figure("tokens", "Tokens by phase", says, drawn(chart, ROW_HEIGHT * len(phases) + 20))


def _seconds(cost: Sequence[PhaseCost]) -> Figure | None:
    measured = [each for each in cost if each.seconds]
    if not measured:
        return None
    values = [{"phase": each.phase, "seconds": each.seconds} for each in measured]
    chart = (
        chart_of(values)
        .mark_bar(cornerRadiusEnd=2, height={"band": 0.72})
        .encode(
            y=_by_phase([each.phase for each in measured]),
            x=alt.X("seconds:Q", title="seconds"),
            tooltip=["phase:N", alt.Tooltip("seconds:Q", format=",.1f")],
        )
    )
    longest = max(measured, key=lambda each: each.seconds)
    total, of = sum(each.seconds for each in measured), "all" if len(measured) == len(cost) else "those measured"
    says = f"{total:,.0f} s in {of}; the longest is {longest.phase}, {longest.seconds:,.0f} s."
    return Figure("seconds", "Seconds by phase", says, drawn(chart, ROW_HEIGHT * len(measured) + 20))


def _by_phase(phases: list[str]) -> alt.Y:
    return alt.Y("phase:N", sort=phases, title=None, axis=alt.Axis(ticks=False, domain=False))
