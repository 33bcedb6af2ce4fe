"""How rows changed from the seeds through the windows of augmentation, and how the bandit chose."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import altair as alt

from fanno_core.report.figures.figure import Figure, chart_of, drawn
from fanno_core.report.figures.histograms import HEIGHT, histogram_figure
from fanno_core.report.numbers import Bandit, BanditStep, Iteration

MOST_TICKS = 8
ITERATION = "iteration (0: seeds)"
BY_ITERATION = (
    ("instruction_words", "Length of instructions by iteration", "mean words an instruction"),
    ("output_tokens", "Length of responses by iteration", "mean tokens of the teacher a response"),
    ("quality", "Quality of instructions by iteration", "mean probability that it can be answered"),
    ("complexity", "Complexity of instructions by iteration", "mean verbs an instruction"),
    ("similarity", "Likeness to earlier instructions by iteration", "mean largest cosine to any kept before"),
)
"""Field of an iteration, title of its figure, and its axis."""


def iteration_figures(iterations: Sequence[Iteration]) -> list[Figure]:
    """A line for each measure; none where no iteration has it."""
    figures = []
    for field, title, axis in BY_ITERATION:
        points = [(each.iteration, getattr(each, field), each.rows) for each in iterations]
        known = [point for point in points if point[1] is not None]
        if known:
            figures.append(_line(f"{field.replace('_', '-')}-by-iteration", title, axis, known, "rows"))
    return figures


def bandit_figures(bandit: Bandit) -> list[Figure]:
    """The reward over time, the share of seeds that were tried, and how often seeds were shown."""
    figures = [
        histogram_figure(
            "bandit-shown", "How often the bandit showed each seed", "times shown", bandit.shown, "seeds", ",.0f"
        )
    ]
    if bandit.steps:
        figures.append(_reward(bandit.steps))
        figures.append(_tried(bandit.steps))
    return [figure for figure in figures if figure]


def _reward(steps: Sequence[BanditStep]) -> Figure:
    values = [(step.iteration, step.reward, step.shown) for step in steps]
    return _line(
        "bandit-reward", "Reward of the seeds shown, over time", "mean reward, 0 to 1", values, "seeds ever shown"
    )


def _tried(steps: Sequence[BanditStep]) -> Figure:
    values = [(step.iteration, step.shown / step.seeds if step.seeds else 0.0, step.shown) for step in steps]
    title = "Share of seeds that were ever shown"
    return _line("bandit-tried", title, "share of seeds", values, "seeds ever shown", ".0%")


def _line(
    name: str, title: str, axis: str, points: Sequence[tuple[int, float, int]], counted: str, shown_as: str = ",.3~g"
) -> Figure:
    """A line through one point an iteration: its number, its value, and what the value was taken over."""
    values = [{"iteration": number, "value": value, "count": count} for number, value, count in points]
    numbers = [number for number, _, _ in points]
    at = numbers[:: ceil(len(numbers) / MOST_TICKS)]
    x = alt.X("iteration:Q", title=ITERATION, axis=alt.Axis(values=at, tickCount=len(at), format="d", grid=False))
    y_axis = alt.Axis(format=shown_as) if shown_as.endswith("%") else alt.Axis()
    chart = (
        chart_of(values)
        .mark_line(point={"size": 36, "filled": True})
        .encode(
            x=x,
            y=alt.Y("value:Q", title=axis, scale=alt.Scale(zero=True), axis=y_axis),
            tooltip=[
                alt.Tooltip("iteration:Q", title="iteration"),
                alt.Tooltip("value:Q", title=axis, format=shown_as),
                alt.Tooltip("count:Q", title=counted, format=","),
            ],
        )
    )
    (first, before, _), (last, after, _) = points[0], points[-1]
    in_words = "{:.0%}" if shown_as.endswith("%") else "{:,.3g}"
    says = f"{in_words.format(before)} at iteration {first}"
    says += f", {in_words.format(after)} at iteration {last}." if len(points) > 1 else "."
    return Figure(name, title, says, drawn(chart, HEIGHT))
