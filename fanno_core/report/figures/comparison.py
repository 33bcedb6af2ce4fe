"""The data set beside others, on the same measures."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import altair as alt

from fanno_core.report.figures.figure import Figure, chart_of, drawn
from fanno_core.report.figures.histograms import AND_LONGER, HEIGHT
from fanno_core.report.numbers import Histogram, Measures


def distinct_figure(measures: Sequence[Measures]) -> Figure | None:
    """Distinct n-grams, a line for each data set; none where nothing was measured."""
    values = [{"name": each.name, "n": n, "share": share} for each in measures for n, share in each.distinct.items()]
    if not values:
        return None
    chart = (
        chart_of(values)
        .mark_bar(cornerRadiusEnd=2)
        .encode(
            x=alt.X("n:N", title="n", axis=alt.Axis(labelAngle=0)),
            xOffset=alt.XOffset("name:N", sort=[each.name for each in measures]),
            y=alt.Y("share:Q", title="share of n-grams", axis=alt.Axis(format=".0%")),
            color=_by_name(measures),
            tooltip=["name:N", "n:N", alt.Tooltip("share:Q", title="distinct", format=".1%")],
        )
    )
    says = ", ".join(f"distinct-{n} {share:.1%}" for n, share in measures[0].distinct.items())
    return Figure("distinct", "Distinct n-grams of instructions", f"{says}.", drawn(chart, HEIGHT), wide=True)


def comparison_figures(measures: Sequence[Measures]) -> list[Figure]:
    """Lengths of instructions and responses, a line for each data set; none where there is nothing to hold against."""
    if len(measures) < 2:
        return []
    kinds = [
        ("compared-instruction-words", "Length of instructions, side by side", f"words an instruction{AND_LONGER}"),
        ("compared-output-words", "Length of responses, side by side", f"words a response{AND_LONGER}"),
    ]
    histograms = [[each.instruction_words for each in measures], [each.output_words for each in measures]]
    return [_lengths(*kind, measures, each) for kind, each in zip(kinds, histograms, strict=True)]


def _lengths(name: str, title: str, axis: str, measures: Sequence[Measures], histograms: Sequence[Histogram]) -> Figure:
    """Shares of rows a word, so that files of any size and bins of any width lie on one scale."""
    values = [
        {
            "name": each.name,
            "words": (low + high) / 2,
            "share": count / (max(each.rows, 1) * (high - low)),
        }
        for each, histogram in zip(measures, histograms, strict=True)
        for (low, high), count in zip(pairwise(histogram.edges), histogram.counts, strict=True)
    ]
    chart = (
        chart_of(values)
        .mark_line(interpolate="monotone")
        .encode(
            x=alt.X("words:Q", title=axis, axis=alt.Axis(grid=False)),
            y=alt.Y("share:Q", title="share of rows a word", axis=alt.Axis(format=".1%")),
            color=_by_name(measures),
            strokeDash=alt.StrokeDash("name:N", legend=None, sort=[each.name for each in measures]),
            tooltip=["name:N", alt.Tooltip("words:Q", format=",.0f"), alt.Tooltip("share:Q", format=".2%")],
        )
    )
    says = "; ".join(
        f"{each.name}: {_median(histogram):.0f} words at the median"
        for each, histogram in zip(measures, histograms, strict=True)
    )
    return Figure(name, title, f"{says}.", drawn(chart, HEIGHT))


def _median(histogram: Histogram) -> float:
    """The middle of the bin that holds the median."""
    half, seen = sum(histogram.counts) / 2, 0
    for (low, high), count in zip(pairwise(histogram.edges), histogram.counts, strict=True):
        seen += count
        if seen >= half:
            return (low + high) / 2
    return 0.0


def _by_name(measures: Sequence[Measures]) -> alt.Color:
    names = [each.name for each in measures]
    legend = alt.Legend() if len(names) > 1 else None
    return alt.Color("name:N", title=None, sort=names, scale=alt.Scale(domain=names), legend=legend)
