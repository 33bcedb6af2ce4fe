"""Methods side by side: rows, what a row costs, and what the rows are like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import altair as alt

from fanno_core.report.figures.comparison import comparison_figures, distinct_figure
from fanno_core.report.figures.figure import ROW_HEIGHT, Figure, chart_of, drawn
from fanno_core.report.several_runs import MethodRow, SeveralRuns
from fanno_core.report.written import WRITTEN

PAIRS = "2"
"""Distinct-2 is what the caption tells."""


def method_figures(found: SeveralRuns) -> dict[str, list[Figure]]:
    """The figures by section of the page."""
    rows, measures = found.rows, [row.measures for row in found.rows]
    numbers = [row.rows for row in rows]
    questions = [row.asked.questions_a_row for row in rows]
    return {
        "cost": [
            _bars("rows", "Rows of each method", "rows", rows, numbers, "count"),
            _bars("questions", "What a row costs", "questions to the teacher for each row", rows, questions, "number"),
        ],
        "diversity": _distinct(rows),
        "lengths": comparison_figures(measures),
    }


def _distinct(rows: Sequence[MethodRow]) -> list[Figure]:
    figure = distinct_figure([row.measures for row in rows])
    says = (f"{row.method} {row.measures.distinct[PAIRS]:.1%}" for row in rows if PAIRS in row.measures.distinct)
    return [replace(figure, says=f"Distinct pairs of words: {', '.join(says)}.")] if figure else []


def _bars(
    name: str, title: str, axis: str, rows: Sequence[MethodRow], numbers: Sequence[float], written: str
) -> Figure:
    names, shown = [row.method for row in rows], [WRITTEN[written](number) for number in numbers]
    values = [
        {"method": each, "value": number, "shown": text}
        for each, number, text in zip(names, numbers, shown, strict=True)
    ]
    method = alt.Y("method:N", sort=names, title=None, axis=alt.Axis(ticks=False, domain=False))
    value = alt.X("value:Q", title=axis)
    bars = (
        chart_of(values)
        .mark_bar(cornerRadiusEnd=2, height={"band": 0.72})
        .encode(y=method, x=value, tooltip=["method:N", alt.Tooltip("shown:N", title=axis)])
    )
    ends = chart_of(values).mark_text(align="left", dx=5, style="label").encode(y=method, x=value, text="shown:N")
    says = ", ".join(f"{each} {text}" for each, text in zip(names, shown, strict=True))
    return Figure(name, title, f"{axis.capitalize()}: {says}.", drawn(bars + ends, ROW_HEIGHT * (len(rows) + 1)))
