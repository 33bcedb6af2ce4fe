"""A figure: what is drawn, what it says in words, and how it becomes a PNG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import altair as alt
import vl_convert

from fanno_core.report.figures.theme import LIGHT, config

AnyChart: TypeAlias = "alt.Chart | alt.LayerChart | alt.FacetChart"
PNG_WIDTH = 720
PNG_SCALE = 2.0
ROW_HEIGHT = 24
"""Height of a bar with its gap, in pixels."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One chart of the report.

    Attributes:
        name: of its PNG, and its id in the page.
        title: what is seen.
        says: the same in a sentence or two, with the numbers, for those who do not see it.
        spec: Vega-Lite, or Vega where its `$schema` says so; without colours, which come from the theme.
        wide: whether it wants the whole width of a desktop.
        scrolls: whether it cannot get as narrow as a phone, and so scrolls within its place there.
    """

    name: str
    title: str
    says: str
    spec: Mapping[str, Any]
    wide: bool = False
    scrolls: bool = False

    @property
    def height(self) -> int:
        """About how high the chart gets, in pixels, so that the page does not jump when it is drawn."""
        return int(self.spec.get("height", 400)) + 60

    @property
    def is_vega(self) -> bool:
        """Whether the spec is one of Vega itself."""
        return "/vega/" in self.spec["$schema"]


def chart_of(values: Sequence[Mapping[str, Any]]) -> alt.Chart:
    """A chart of rows of data that stand in its spec."""
    return alt.Chart(alt.Data(values=values))


def drawn(chart: AnyChart, height: int) -> dict[str, Any]:
    """The Vega-Lite of a chart that is as wide as its place.

    Args:
        chart: the chart, without a size.
        height: of its plotting area, in pixels.
    """
    spec: dict[str, Any] = chart.properties(width="container", height=height).to_dict()
    # What Altair's theme says of size and colour is the business of ours.
    spec.pop("config", None)
    return spec | {"autosize": {"type": "fit-x", "contains": "padding"}}


def png_bytes(figure: Figure) -> bytes:
    """The figure in the light theme with its title, for slides and papers."""
    title = {"text": figure.title, "subtitle": _lines(figure.says)}
    spec = {**figure.spec, "title": title, "config": config(LIGHT), "padding": 20}
    if figure.is_vega:
        return bytes(vl_convert.vega_to_png(spec, scale=PNG_SCALE))
    return bytes(vl_convert.vegalite_to_png({**spec, "width": PNG_WIDTH}, scale=PNG_SCALE))


def _lines(text: str, width: int = 105) -> list[str]:
    """Words of a text in lines of at most so many characters."""
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) >= width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines
