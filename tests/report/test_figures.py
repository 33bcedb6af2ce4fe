"""What figures show, that they can be told apart, and that they take their colours from the theme."""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import replace

import orjson
import pytest

from fanno_core.report.figures import Figure, figures_of, png_bytes
from fanno_core.report.figures.funnel import KEPT, REJECTED, funnel_figures, steps_of
from fanno_core.report.figures.growth import iteration_figures
from fanno_core.report.figures.theme import DARK, LIGHT, Palette
from fanno_core.report.figures.verbs import verb_figure
from fanno_core.report.numbers import FunnelPhase, Numbers, TopicPoint, VerbObject
from tests.report.numbers import empty_numbers, full_numbers


@pytest.fixture(scope="module")
def numbers() -> Numbers:
    return full_numbers()


@pytest.fixture(scope="module")
def figures(numbers: Numbers) -> dict[str, Figure]:
    return {figure.name: figure for section in figures_of(numbers).values() for figure in section}


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_all_text_on_charts_can_be_read(palette: Palette) -> None:
    pairs = [(palette.ink, palette.paper), (palette.muted, palette.paper)]
    pairs += [(palette.on_category, colour) for colour in palette.categories]
    pairs += [(palette.ink, colour) for colour in palette.ramp]
    assert {pair: contrast(*pair) for pair in pairs if contrast(*pair) < 4.5} == {}


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_marks_stand_out_from_the_paper(palette: Palette) -> None:
    assert min(contrast(colour, palette.paper) for colour in palette.categories) >= 3


def test_no_figure_has_colours_of_its_own(figures: dict[str, Figure]) -> None:
    assert len(figures) > 25
    assert not [
        f.name
        for f in figures.values()
        if re.search(rb'"#[0-9a-f]{3,8}"|"(fill|stroke|color)":"', orjson.dumps(f.spec))
    ]


@pytest.mark.parametrize("name", ["instruction-words", "output-words"])
def test_lengths_say_that_the_last_bar_holds_what_is_longer(name: str, figures: dict[str, Figure]) -> None:
    assert "(the last: and longer)" in json.dumps(figures[name].spec)


def test_figures_have_names_of_their_own_and_words(numbers: Numbers, figures: dict[str, Figure]) -> None:
    assert len(figures) == sum(len(section) for section in figures_of(numbers).values())
    assert all(re.fullmatch(r"[a-z0-9-]+", name) for name in figures)
    assert all(figure.title and figure.says.endswith(".") for figure in figures.values())


def test_what_was_not_measured_has_no_figure() -> None:
    figures = figures_of(empty_numbers())
    assert {section: len(some) for section, some in figures.items() if some} == {"funnel": 1}


def test_an_iteration_that_nobody_judged_has_no_point(numbers: Numbers) -> None:
    first, *others = numbers.iterations
    figures = {f.name: f for f in iteration_figures([replace(first, quality=None, similarity=None), *others])}
    points = figures["quality-by-iteration"].spec["data"]["values"]
    assert [point["iteration"] for point in points] == [each.iteration for each in others]
    assert "similarity-by-iteration" not in {f.name for f in iteration_figures([replace(first, similarity=None)])}


def test_a_waterfall_goes_from_what_was_written_to_what_is_left(numbers: Numbers) -> None:
    phases = [phase for phase in numbers.funnel if phase.name in {"seeds", "novelty", "augment", "responses"}]
    *steps, left = steps_of(phases, "rows")
    rejected = sum(sum(phase.rejected.values()) for phase in phases)
    written = sum(step.end - step.start for step in steps if step.kind == KEPT)
    assert written == 960 + 9_700
    assert sum(step.start - step.end for step in steps if step.kind == REJECTED) == rejected
    assert steps[-1].end == left.end == written - rejected
    assert all(after.start == before.end for before, after in itertools.pairwise(steps))


def test_a_waterfall_starts_anew_where_a_phase_took_another_number_than_was_left() -> None:
    phases = [FunnelPhase("ingest", 10, 10, {}, {}), FunnelPhase("refreshed", 40, 38, {"stale": 2}, {})]
    assert [(step.start, step.end) for step in steps_of(phases, "documents")] == [(0, 10), (40, 38), (0, 38)]


def test_instructions_have_a_waterfall_of_their_own(numbers: Numbers) -> None:
    documents, instructions = funnel_figures(numbers.funnel)
    assert documents.says.startswith("6,923 documents left, 11,281 rejected; most by rules: too short")
    assert instructions.says.startswith("9,412 rows, 1,248 rejected; most by augment: not novel")


def test_the_sunburst_counts_every_verb_object_once(numbers: Numbers, figures: dict[str, Figure]) -> None:
    nodes = figures["verbs"].spec["data"][0]["values"]
    leaves = [node for node in nodes if "count" in node]
    assert sum(node["count"] for node in leaves) == sum(each.count for each in numbers.diversity.verb_objects)
    assert len({node["id"] for node in nodes}) == len(nodes)
    assert {node["parent"] for node in leaves} <= {node["id"] for node in nodes if node["parent"] == "/"}


def test_a_verb_may_be_called_as_anything() -> None:
    odd = [VerbObject(verb, "poem", 2) for verb in ("total", "/", "write poem")] + [VerbObject("write", "", 1)]
    figure = verb_figure(odd, 7)
    assert figure
    assert len(png_bytes(figure)) > 20_000, "nothing was drawn"


@pytest.mark.parametrize("name", ["funnel-documents", "verbs"])
def test_a_png_is_the_same_each_time(figures: dict[str, Figure], name: str) -> None:
    data = png_bytes(figures[name])
    assert data.startswith(b"\x89PNG")
    assert int.from_bytes(data[16:20]) >= 1000  # its width
    assert png_bytes(figures[name]) == data


def topics_of(numbers: Numbers, count: int, communities: int) -> Figure:
    """The map of so many instructions, dealt out to so many communities."""
    points = tuple(
        TopicPoint(f"{n:016x}", n / 7, -n / 9, f"c{n % communities}", n % communities // 3, "Ask.")
        for n in range(count)
    )
    figures = figures_of(replace(numbers, diversity=replace(numbers.diversity, topics=points)))
    return next(figure for figure in figures["diversity"] if figure.name == "topics")


def colours_of(figure: Figure) -> dict[str, str]:
    return {point["community"]: point["colour"] for point in figure.spec["data"]["values"]}


def test_few_communities_have_a_colour_and_a_line_of_the_legend_each(numbers: Numbers) -> None:
    figure = topics_of(numbers, 40, 6)
    assert colours_of(figure) == {f"c{n}": f"c{n}" for n in range(6)}
    color = figure.spec["encoding"]["color"]
    assert color["legend"] and len(color["scale"]["domain"]) == 6
    assert "repeat" not in figure.title


def test_many_communities_share_colours_but_not_within_a_topic(numbers: Numbers) -> None:
    figure = topics_of(numbers, 300, 60)
    colours = colours_of(figure)
    assert len(set(colours.values())) == len(LIGHT.categories)
    assert all(len({colours[f"c{3 * topic + n}"] for n in range(3)}) == 3 for topic in range(20))
    assert figure.spec["encoding"]["color"]["legend"] is None
    assert "colours repeat" in figure.title
    assert figure.says == "300 instructions of 60 communities in 20 topics; the largest community, c0, has 5."


def test_a_map_of_thousands_of_communities_is_drawn(numbers: Numbers) -> None:
    # A scale with a value for each was too deep for Vega's stack.
    assert len(png_bytes(topics_of(numbers, 3_000, 3_000))) > 20_000
