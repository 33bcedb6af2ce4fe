"""The sunburst of root verbs and their objects, as figure 3 of Self-Instruct; in Vega, which has the partition."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from fanno_core.report.figures.figure import Figure
from fanno_core.report.numbers import VerbObject

SCHEMA = "https://vega.github.io/schema/vega/v6.json"
WIDEST = 560
LEAST_ANGLE = 0.06
"""Radians; the label of a narrower arc would run into its neighbours."""
TINT = 0.22
"""Opacity of the outer ring: light enough for the ink of its labels."""
TOTAL = "/"
"""The root's id, as no verb and no object is called."""


def verb_figure(verb_objects: Sequence[VerbObject], with_verb: int) -> Figure | None:
    """Inner ring root verbs, outer ring their direct objects; none where no verb was found."""
    if not verb_objects:
        return None
    verbs: Counter[str] = Counter()
    for each in verb_objects:
        verbs[each.verb] += each.count
    ranked = sorted(verbs, key=lambda verb: (-verbs[verb], verb))
    foremost = ", ".join(f"{verb} {verbs[verb]:,}" for verb in ranked[:3])
    says = f"A root verb in {with_verb:,} instructions; the most frequent: {foremost}."
    title = "What instructions ask for: root verbs and what they act on"
    return Figure("verbs", title, says, _spec(_tree(verb_objects, verbs, ranked), ranked))


def _tree(verb_objects: Sequence[VerbObject], verbs: Counter[str], ranked: Sequence[str]) -> list[dict[str, Any]]:
    """Nodes that name their parents. Verbs are few, so each gets one of the colours in turn."""
    nodes: list[dict[str, Any]] = [{"id": TOTAL, "parent": None}]
    nodes += [
        {"id": f"{TOTAL}{verb}", "parent": TOTAL, "label": verb, "verb": verb, "says": f"{verb}: {verbs[verb]:,}"}
        for verb in ranked
    ]
    nodes += [
        {
            "id": f"{TOTAL}{each.verb}{TOTAL}{each.object}",
            "parent": f"{TOTAL}{each.verb}",
            "label": each.object,
            "verb": each.verb,
            "count": each.count,
            "says": f"{each.verb} {each.object or '(without an object)'}: {each.count:,}",
        }
        for each in sorted(verb_objects, key=lambda each: (-each.count, each.verb, each.object))
    ]
    return nodes


def _spec(nodes: list[dict[str, Any]], ranked: Sequence[str]) -> dict[str, Any]:
    return {
        "$schema": SCHEMA,
        "signals": [
            {
                "name": "side",
                "init": f"min({WIDEST}, containerSize()[0] || {WIDEST})",
                "on": [{"events": "window:resize", "update": f"min({WIDEST}, containerSize()[0] || {WIDEST})"}],
            },
            {"name": "width", "update": "side"},
            {"name": "height", "update": "side"},
        ],
        "data": [{"name": "tree", "values": nodes, "transform": _transforms()}],
        "scales": [
            {"name": "shade", "type": "ordinal", "domain": list(ranked), "range": "category"},
        ],
        "marks": [_arcs(), _labels(1, "on-category"), _labels(2, "strong")],
    }


def _transforms() -> list[dict[str, Any]]:
    ring = {"expr": "datum.depth > 0"}
    return [
        {"type": "stratify", "key": "id", "parentKey": "parent"},
        {
            "type": "partition",
            "field": "count",
            "size": [{"signal": "2 * PI"}, {"signal": "side / 2"}],
            "as": ["a0", "r0", "a1", "r1", "depth", "children"],
        },
        {"type": "filter", **ring},
    ]


def _arcs() -> dict[str, Any]:
    place = {"signal": "side / 2"}
    return {
        "type": "arc",
        "style": ["edge"],
        "from": {"data": "tree"},
        "encode": {
            "enter": {"fill": {"scale": "shade", "field": "verb"}, "tooltip": {"field": "says"}},
            "update": {
                "x": place,
                "y": place,
                "startAngle": {"field": "a0"},
                "endAngle": {"field": "a1"},
                "innerRadius": {"field": "r0"},
                "outerRadius": {"field": "r1"},
                "fillOpacity": {"signal": f"datum.depth == 1 ? 1 : {TINT}"},
                "strokeWidth": {"value": 1},
            },
        },
    }


def _labels(ring: int, style: str) -> dict[str, Any]:
    """Words along the radius, upright on either side."""
    radius, angle = "(datum.r0 + datum.r1) / 2", "(datum.a0 + datum.a1) / 2"
    return {
        "type": "text",
        "style": [style],
        "interactive": False,
        "from": {"data": "tree"},
        "encode": {
            "enter": {"text": {"field": "label"}, "align": {"value": "center"}, "baseline": {"value": "middle"}},
            "update": {
                "x": {"signal": f"side / 2 + {radius} * sin({angle})"},
                "y": {"signal": f"side / 2 - {radius} * cos({angle})"},
                "angle": {"signal": f"({angle}) * 180 / PI + ({angle} > PI ? 90 : -90)"},
                "fontSize": {"signal": "side < 420 ? 9 : 11"},
                "limit": {"signal": "side / 6 - 8"},
                "opacity": {"signal": f"datum.depth == {ring} && datum.a1 - datum.a0 >= {LEAST_ANGLE} ? 1 : 0"},
            },
        },
    }
