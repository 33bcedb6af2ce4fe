"""Histograms: how often each value comes."""

from __future__ import annotations

from itertools import pairwise
from math import ceil

import altair as alt

from fanno_core.report.figures.figure import Figure, chart_of, drawn
from fanno_core.report.numbers import Histogram, Score

HEIGHT = 200
AND_LONGER = " (the last: and longer)"
"""What the axis of lengths says, whose last bin also holds the few that are longer."""
MOST_TICKS = 6
"""What a phone has room for."""


def score_figure(name: str, title: str, axis: str, score: Score, shown_as: str = ".2f") -> Figure | None:
    """A histogram with a line at the mean; none where no row has the score.

    Args:
        name: of the figure.
        title: what is seen.
        axis: what is measured, with its unit.
        score: rows, mean and counts.
        shown_as: how d3 writes a value.
    """
    figure = histogram_figure(name, title, axis, score.histogram, "rows", shown_as)
    if figure is None or not score.rows:
        return None
    mean = (
        chart_of([{"mean": score.mean}])
        .mark_rule(style="mean")
        .encode(x=alt.X("mean:Q", axis=_axis(score.histogram), title=axis))
    )
    chart = alt.layer(_bars(axis, score.histogram, "rows", shown_as), mean)
    says = f"{score.rows:,} rows, mean {score.mean:.3g} (dashed). {figure.says}"
    return Figure(name, title, says, drawn(chart, HEIGHT))


def histogram_figure(
    name: str, title: str, axis: str, histogram: Histogram, counted: str, shown_as: str = ",.0f"
) -> Figure | None:
    """A plain histogram; none where it is empty."""
    total = sum(histogram.counts)
    if not total:
        return None
    low, high, count = max(_bins(histogram), key=lambda each: each[2])
    says = f"Most frequent: {low:.3g} to {high:.3g}, {count:,} of {total:,} {counted}."
    return Figure(name, title, says, drawn(_bars(axis, histogram, counted, shown_as), HEIGHT))


def _bins(histogram: Histogram) -> list[tuple[float, float, int]]:
    return [(low, high, count) for (low, high), count in zip(pairwise(histogram.edges), histogram.counts, strict=True)]


def _axis(histogram: Histogram) -> alt.Axis:
    """Ticks at edges. Both layers name it, since Vega-Lite would mix it with its own; the count keeps all ticks."""
    at = histogram.edges[:: ceil(len(histogram.counts) / MOST_TICKS)]
    return alt.Axis(grid=False, values=list(at), tickCount=len(at), format=",~f")


def _bars(axis: str, histogram: Histogram, counted: str, shown_as: str) -> alt.Chart:
    values = [{"from": low, "to": high, "count": count} for low, high, count in _bins(histogram)]
    scale = alt.Scale(domain=[histogram.edges[0], histogram.edges[-1]], nice=False)
    chart: alt.Chart = (
        chart_of(values)
        .mark_bar(binSpacing=1)
        .encode(
            x=alt.X(
                "from:Q",
                bin="binned",
                title=axis,
                scale=scale,
                axis=_axis(histogram),
            ),
            x2="to:Q",
            y=alt.Y("count:Q", title=counted),
            tooltip=[
                alt.Tooltip("from:Q", title="from", format=shown_as),
                alt.Tooltip("to:Q", title="to below", format=shown_as),
                alt.Tooltip("count:Q", title=counted, format=","),
            ],
        )
    )
    return chart
