"""The page as bytes: template, style, scripts, charts and rows in one file.

Text of documents gets into it in three ways, none of which can become markup: through the template, which escapes;
as JSON, in which `<` is written as an escape; and as gzip in base64. Scripts run by their hashes alone.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import orjson
import vl_convert
from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from fanno_core.lineage.explanation import Explanation
from fanno_core.report.figures import Figure
from fanno_core.report.figures.theme import DARK, LIGHT, config
from fanno_core.report.numbers import Numbers
from fanno_core.report.page.explanations import packed_explanations
from fanno_core.report.page.headlines import headlines, rows_of, total_of
from fanno_core.report.page.packed import packed_documents, packed_rows
from fanno_core.report.table import ReportRow

SCRIPTS = ("charts.js", "unpack.js", "explanation.js", "lineage.js", "rows.js")
"""In the order in which they run, after the charts' library."""
SOURCES_OFFERED = 200
FILTERS: Mapping[str, tuple[str, Callable[[ReportRow], Sequence[str | int]]]] = {
    "task_type": ("Task type", lambda row: [row.task_type]),
    "form": ("Form", lambda row: [row.form]),
    "iteration": ("Iteration", lambda row: [row.iteration]),
    "topic": ("Topic", lambda row: [row.document.topic]),
    "flags": ("Flag", lambda row: row.flags),
}
"""Filters of the table by their field: what they are called, and the values that a row has."""
WRITTEN: Mapping[str, Callable[[Any], str]] = {
    "count": "{:,}".format,
    "share": "{:.1%}".format,
    "seconds": "{:,.1f}".format,
    "number": lambda value: f"{value:,.0f}" if value >= 100 else f"{value:.3g}",
    "words": lambda code: code.replace("_", " "),
}
"""How the template writes values."""


def page_bytes(
    numbers: Numbers,
    figures: Mapping[str, Sequence[Figure]],
    rows: Sequence[ReportRow],
    explanations: Sequence[Explanation] = (),
) -> bytes:
    """The page as UTF-8; the same input gives the same bytes.

    Args:
        numbers: everything that is told.
        figures: by section.
        rows: of the table, in the order in which they are shown.
        explanations: of rows and rejected examples; a row without one names the command that gives it.
    """
    explained = packed_explanations(explanations)
    style, first = _own("page.css"), _own("theme.js")
    scripts = [_library(), *(_own(name) for name in SCRIPTS)]
    page = _template().render(
        policy=_policy([first, *scripts], style),
        style=Markup(style),  # noqa: S704 - our own file
        first=Markup(first),  # noqa: S704
        scripts=[Markup(script) for script in scripts],  # noqa: S704
        numbers=numbers,
        rows_count=rows_of(numbers),
        headlines=headlines(numbers),
        total=total_of(numbers.cost),
        figures=figures,
        charts_json=_charts(figures),
        filters=_filters(rows),
        sources=[name for name, _ in Counter(row.document.source for row in rows).most_common(SOURCES_OFFERED)],
        ids={row.id for row in rows} | explained.ids,
        explained=explained,
        documents=packed_documents(rows),
        rows=packed_rows(rows),
    )
    return page.encode()


def _own(name: str) -> str:
    return (files(__package__) / name).read_text(encoding="utf-8")


@cache
def _library() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script, from vl-convert's own copy; seconds, so once a process."""
    # A script ends at the first `</script`, in a string of it, too; and a carriage return would change its hash.
    bundle = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    return bundle.replace("</script", "<\\/script").replace("<!--", "<\\!--").replace("\r", "\\r")


def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(WRITTEN)
    return environment.from_string(_own("template.html"))


def _policy(scripts: Sequence[str], style: str) -> str:
    """The Content-Security-Policy: these scripts, this style, and nothing from anywhere.

    Marks of a chart carry styles of their own, so style attributes are allowed.
    """
    allowed = " ".join(_hash(script) for script in scripts)
    return (
        f"default-src 'none'; script-src {allowed}; style-src {_hash(style)}; style-src-attr 'unsafe-inline'; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _charts(figures: Mapping[str, Sequence[Figure]]) -> Markup:
    """Specs and themes as JSON that can stand in a script element."""
    specs = {figure.name: figure.spec for section in figures.values() for figure in section}
    themes = {"light": config(LIGHT), "dark": config(DARK)}
    json = orjson.dumps({"specs": specs, "themes": themes}).decode()
    return Markup(json.replace("<", "\\u003c"))  # noqa: S704 - no `<` is left in it


def _filters(rows: Sequence[ReportRow]) -> dict[str, Any]:
    """What each filter offers: values with their counts, numbers in order, words by frequency."""
    offered = {}
    for name, (label, values_of) in FILTERS.items():
        counts: Counter[str | int] = Counter(value for row in rows for value in values_of(row))
        ranked = sorted(counts.items(), key=_offered_at)
        offered[name] = {"label": label, "values": ranked}
    return offered


def _offered_at(item: tuple[str | int, int]) -> tuple[int, str]:
    value, count = item
    return (value, "") if isinstance(value, int) else (-count, value)
