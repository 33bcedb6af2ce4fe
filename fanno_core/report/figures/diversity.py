"""How different instructions are from each other, and whether what was asked for came."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import altair as alt

from fanno_core.report.figures.figure import ROW_HEIGHT, Figure, chart_of, drawn
from fanno_core.report.figures.histograms import score_figure
from fanno_core.report.figures.theme import LIGHT
from fanno_core.report.figures.verbs import verb_figure
from fanno_core.report.numbers import Diversity, TagCell, TopicPoint

COLOURS = len(LIGHT.categories)
MAP_HEIGHT = 460
BY_HYPHEN = "split(datum.label, '-')"


def diversity_figures(diversity: Diversity) -> list[Figure]:
    """Verbs, distances between instructions, the map of topics, and the tags; what has nothing to show is left out."""
    figures = [
        verb_figure(diversity.verb_objects, diversity.with_verb),
        score_figure(
            "nearest-neighbour",
            "How near each instruction is to its nearest neighbour",
            "cosine to the nearest other instruction",
            diversity.nearest,
        ),
        score_figure(
            "self-rouge",
            "How much each instruction repeats the wording of another",
            f"largest ROUGE-L F to {diversity.self_rouge_sample:,} sampled instructions",
            diversity.self_rouge,
        ),
        _topics(diversity.topics),
        *_tags(diversity.tags),
    ]
    return [figure for figure in figures if figure]


def _topics(points: Sequence[TopicPoint]) -> Figure | None:
    if not points:
        return None
    sizes = Counter(point.community for point in points)
    topics = {point.community: point.topic for point in points}
    # Communities of one topic lie near each other: in a row, they get colours that differ.
    order = sorted(sizes, key=lambda community: (topics[community], -sizes[community], community))
    are_few = len(order) <= COLOURS
    # A scale of thousands of values is more than Vega can take, so they are dealt out to the colours here.
    colours = {community: community if are_few else f"{n % COLOURS}" for n, community in enumerate(order)}
    domain = [*dict.fromkeys(colours.values())]
    hidden = alt.Axis(labels=False, ticks=False, title=None, domain=False, grid=False)
    legend = alt.Legend(columns=4) if are_few else None
    color = alt.Color("colour:N", title="community", sort=domain, scale=alt.Scale(domain=domain), legend=legend)
    chart = (
        chart_of([_point(point, colours[point.community]) for point in points])
        .mark_circle(size=34, opacity=0.75)
        .encode(
            x=alt.X("x:Q", axis=hidden, scale=alt.Scale(zero=False)),
            y=alt.Y("y:Q", axis=hidden, scale=alt.Scale(zero=False)),
            color=color,
            tooltip=[
                alt.Tooltip("instruction:N", title="instruction"),
                alt.Tooltip("community:N", title="community"),
                alt.Tooltip("topic:N", title="topic"),
                alt.Tooltip("id:N", title="row"),
            ],
        )
    )
    repeats = "" if are_few else " (colours repeat)"
    title = f"Map of instructions: what lies near means the same, colour is the community{repeats}"
    largest = max(order, key=lambda community: sizes[community])
    kinds = f"{len(sizes):,} communities in {len(set(topics.values())):,} topics"
    says = f"{len(points):,} instructions of {kinds}; the largest community, {largest}, has {sizes[largest]:,}."
    return Figure("topics", title, says, drawn(chart, MAP_HEIGHT), wide=True)


def _point(point: TopicPoint, colour: str) -> dict[str, object]:
    return {
        "colour": colour,
        "x": round(point.x, 4),
        "y": round(point.y, 4),
        "topic": point.topic,
        "community": point.community,
        "instruction": point.instruction,
        "id": point.id,
    }


def _tags(cells: Sequence[TagCell]) -> list[Figure]:
    """A heat map for each form: asked for and kept, by task type and difficulty."""
    forms = sorted({cell.form for cell in cells})
    return [figure for form in forms if (figure := _form(form, [cell for cell in cells if cell.form == form]))]


def _form(form: str, cells: Sequence[TagCell]) -> Figure | None:
    asked, kept = sum(cell.asked for cell in cells), sum(cell.kept for cell in cells)
    if not asked:
        return None
    shares = [cell.kept / cell.asked for cell in cells if cell.asked]
    base = _cells([cell for cell in cells if cell.asked])
    legend = alt.Legend(format=".0%", gradientLength=140)
    scale = alt.Scale(domain=[min(shares), max(shares)])
    rects = base.mark_rect(style="edge", strokeWidth=2, cornerRadius=3).encode(
        color=alt.Color("share:Q", title="kept of asked", scale=scale, legend=legend),
    )
    texts = base.mark_text(style="strong", fontSize=11).encode(text="text:N")
    name = form or "no form"
    title = f"Kept against asked for: {name}"
    says = f"{kept:,} rows of {asked:,} asked for ({kept / asked:.0%}); each cell: kept/asked."
    height = (ROW_HEIGHT + 6) * len({cell.task_type for cell in cells if cell.asked})
    spec = drawn(alt.layer(rects, texts), height)
    return Figure(f"tags-{name.replace(' ', '-')}", title, says, spec, scrolls=True)


def _cells(cells: Sequence[TagCell]) -> alt.Chart:
    """Task types down, difficulties across; all of them were asked for."""
    values = [
        {
            "task": cell.task_type or "no task type",
            "difficulty": cell.characteristic or "any difficulty",
            "asked": cell.asked,
            "kept": cell.kept,
            "share": cell.kept / cell.asked,
            "text": f"{cell.kept}/{cell.asked}",
        }
        for cell in cells
    ]
    # A line for each part of a word, and room for two.
    across = alt.Axis(orient="top", labelAngle=0, labelExpr=BY_HYPHEN, labelPadding=22, domain=False, ticks=False)
    return chart_of(values).encode(
        x=alt.X("difficulty:N", title=None, axis=across),
        y=alt.Y("task:N", title=None, axis=alt.Axis(labelLimit=170, domain=False, ticks=False)),
        tooltip=[
            alt.Tooltip("task:N", title="task type"),
            alt.Tooltip("difficulty:N"),
            alt.Tooltip("asked:Q", title="asked for"),
            alt.Tooltip("kept:Q", title="kept as rows"),
            alt.Tooltip("share:Q", title="kept share", format=".0%"),
        ],
    )
