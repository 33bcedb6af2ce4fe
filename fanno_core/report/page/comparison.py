"""The page of a comparison as bytes: the look of the report, the methods' figures, and every number in a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fanno_core.report.figures.figure import Figure
from fanno_core.report.page.parts import rendered
from fanno_core.report.several_runs import SeveralRuns
from fanno_core.report.side_by_side import table_of


def comparison_page(found: SeveralRuns, figures: Mapping[str, Sequence[Figure]]) -> bytes:
    """The page as UTF-8; the same input gives the same bytes.

    Args:
        found: everything that is told.
        figures: by section.
    """
    return rendered("comparison.html", ("charts.js",), figures, found=found, lines=table_of(found))
