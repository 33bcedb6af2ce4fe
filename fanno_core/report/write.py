"""`OUT/report/`: the page, its figures as PNG, and every number as JSON."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from fanno_core.lineage.explanation import Explanation
from fanno_core.report.figures import figures_of, png_bytes
from fanno_core.report.numbers import Numbers
from fanno_core.report.page.page import page_bytes
from fanno_core.report.table import ReportRow
from fanno_core.store.durable import names_in, remove_files, write_if_changed
from fanno_core.store.location import Location

FOLDER = "report"
FIGURES = "figures"


def write_report(
    out: Location, numbers: Numbers, rows: Sequence[ReportRow], explanations: Sequence[Explanation] = ()
) -> list[str]:
    """Writes the report, and removes figures of an earlier one that it no longer has.

    Args:
        out: the output folder.
        numbers: everything that is told.
        rows: of the page's table, in the order in which they are shown.
        explanations: of rows and rejected examples that the page explains in full.

    Returns:
        The paths of its files below `out`; the page comes first.

    Raises:
        RunStops: the folder cannot be written.
        TryAgain, RunStops: the object store cannot be reached, or refuses.
    """
    figures = figures_of(numbers)
    pictures = {f"{figure.name}.png": png_bytes(figure) for section in figures.values() for figure in section}
    folder = out / FOLDER
    gone = [name for name in names_in(folder / FIGURES) if name.endswith(".png") and name not in pictures]
    remove_files(folder / FIGURES, gone)
    files = {f"{FIGURES}/{name}": data for name, data in sorted(pictures.items())}
    files["report.json"] = json_bytes(numbers)
    files["index.html"] = page_bytes(numbers, figures, rows, explanations)
    for name, data in files.items():
        write_if_changed(folder / name, data)
    return [f"{FOLDER}/{name}" for name in reversed(files)]


def json_bytes(numbers: Numbers) -> bytes:
    """All numbers as JSON, each exactly as it was measured."""
    return orjson.dumps(numbers, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
