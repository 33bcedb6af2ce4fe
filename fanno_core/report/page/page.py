"""The report's page as bytes: template, style, scripts, charts and rows in one file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fanno_core.lineage.explanation import Explanation
from fanno_core.report.figures import Figure
from fanno_core.report.numbers import Numbers
from fanno_core.report.page.explanations import packed_explanations
from fanno_core.report.page.headlines import headlines, rows_of, total_of
from fanno_core.report.page.packed import packed_documents, packed_rows
from fanno_core.report.page.parts import rendered
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
    return rendered(
        "template.html",
        SCRIPTS,
        figures,
        numbers=numbers,
        rows_count=rows_of(numbers),
        headlines=headlines(numbers),
        total=total_of(numbers.cost),
        filters=_filters(rows),
        sources=[name for name, _ in Counter(row.document.source for row in rows).most_common(SOURCES_OFFERED)],
        ids={row.id for row in rows} | explained.ids,
        explained=explained,
        documents=packed_documents(rows),
        rows=packed_rows(rows),
    )


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
