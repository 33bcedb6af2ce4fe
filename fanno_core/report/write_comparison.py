"""`OUT/comparison/`: the page of several runs, its figures as PNG, and every number as JSON."""

from __future__ import annotations

from fanno_core.report.figures.methods import method_figures
from fanno_core.report.page.comparison import comparison_page
from fanno_core.report.several_runs import SeveralRuns
from fanno_core.report.write import json_bytes, write_files
from fanno_core.store.location import Location

FOLDER = "comparison"


def write_comparison(out: Location, found: SeveralRuns) -> list[str]:
    """Writes the comparison in the place of an earlier one.

    Args:
        out: the folder of the comparison.
        found: everything that is told.

    Returns:
        The paths of its files below `out`; the page comes first.

    Raises:
        RunStops: the folder cannot be written.
        TryAgain, RunStops: the object store cannot be reached, or refuses.
    """
    figures = method_figures(found)
    page = comparison_page(found, figures)
    return write_files(out, FOLDER, figures, {"comparison.json": json_bytes(found), "index.html": page})
