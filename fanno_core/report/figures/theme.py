"""How charts look, by light and by dark: one palette, one face, few lines.

Colours are those of Okabe and Ito, darkened for paper and lightened for the night until each stands 3:1 or more against
its background, so that neighbours differ for colour-blind readers, too. Charts name no colour of their own: they
take the first category, a style of `STYLES`, or the ramp, so that the page can switch between the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

FACE = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', Arial, sans-serif"


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of one theme.

    Attributes:
        paper, ink, muted, rule: background, text, axes' text, and lines.
        categories: the first is what was kept, the second what was rejected.
        ramp: from little to much; `ink` is legible on all of it.
        on_category: text on a category's colour.
    """

    paper: str
    ink: str
    muted: str
    rule: str
    categories: tuple[str, ...]
    ramp: tuple[str, ...]
    on_category: str


LIGHT = Palette(
    paper="#ffffff",
    ink="#1c2630",
    muted="#55626e",
    rule="#e3e8ec",
    categories=("#0b6a9f", "#c4501f", "#087f5b", "#8f4d86", "#94690a", "#1f7d94", "#7a5c4d", "#6b7681"),
    ramp=("#f0f5f9", "#bcd7e8", "#6faed1"),
    on_category="#ffffff",
)
DARK = Palette(
    paper="#161c22",
    ink="#e7ecf0",
    muted="#a5b1bc",
    rule="#313b44",
    categories=("#5aaee0", "#f08c5f", "#45bd98", "#d293c4", "#e0b251", "#9ccff0", "#c2a392", "#97a3ae"),
    ramp=("#222c35", "#24506b", "#2a6f97"),
    on_category="#10161b",
)


def config(palette: Palette) -> dict[str, Any]:
    """The `config` of Vega and Vega-Lite for a palette."""
    text = {"labelFont": FACE, "titleFont": FACE, "labelColor": palette.muted, "titleColor": palette.muted}
    main = palette.categories[0]
    return {
        # A chart is one image with its caption; labels on thousands of marks tell nobody anything, and take time.
        "aria": False,
        "background": palette.paper,
        "font": FACE,
        "view": {"stroke": None},
        "axis": {
            **text,
            "labelFontSize": 12,
            "titleFontSize": 12,
            "titleFontWeight": 500,
            "titlePadding": 10,
            "grid": False,
            "gridColor": palette.rule,
            "domainColor": palette.rule,
            "tickColor": palette.rule,
            "labelPadding": 6,
        },
        "axisQuantitative": {"grid": True, "domain": False, "ticks": False, "tickCount": 5},
        "legend": {**text, "labelFontSize": 12, "titleFontSize": 12, "orient": "top", "symbolType": "circle"},
        "title": {
            "font": FACE,
            "subtitleFont": FACE,
            "color": palette.ink,
            "subtitleColor": palette.muted,
            "fontSize": 16,
            "subtitleFontSize": 12,
            "anchor": "start",
            "offset": 16,
        },
        "range": {"category": list(palette.categories), "heatmap": list(palette.ramp), "ramp": list(palette.ramp)},
        "mark": {"color": main},
        "arc": {"fill": main, "stroke": palette.paper},
        "line": {"strokeWidth": 2.5},
        "rule": {"color": palette.muted},
        "text": {"font": FACE, "fontSize": 12},
        "style": _styles(palette),
    }


def _styles(palette: Palette) -> Mapping[str, Any]:
    """What a mark can name as its `style`."""

    def text(color: str, weight: int = 400) -> dict[str, Any]:
        # Vega reads the fill, Vega-Lite the colour.
        return {"fill": color, "color": color, "font": FACE, "fontWeight": weight}

    return {
        "label": text(palette.muted),
        "strong": text(palette.ink, 500),
        "on-category": text(palette.on_category, 600),
        "mean": {"stroke": palette.ink, "color": palette.ink, "strokeDash": [4, 3], "strokeWidth": 1.5},
        "edge": {"stroke": palette.paper},
    }
