"""`OUT/report/`: the page, its figures as PNG, and every number as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import orjson

from fanno_core.lineage.explanation import Explanation
from fanno_core.report.figures import Figure, figures_of, png_bytes
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
    page = page_bytes(numbers, figures, rows, explanations)
    return write_files(out, FOLDER, figures, {"report.json": json_bytes(numbers), "index.html": page})


def json_bytes(numbers: object) -> bytes:
    """All numbers of a dataclass as JSON, each exactly as it was measured."""
    return orjson.dumps(numbers, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def write_files(
    out: Location, name: str, figures: Mapping[str, Sequence[Figure]], files: Mapping[str, bytes]
) -> list[str]:
    """Writes a folder of figures and files, and removes figures of an earlier one that it no longer has.

    Args:
        out: the output folder.
        name: of the folder below it.
        figures: by section.
        files: what else is written, in this order, after the figures.

    Returns:
        The paths of its files below `out`, the last one first.

    Raises:
        RunStops: the folder cannot be written.
        TryAgain, RunStops: the object store cannot be reached, or refuses.
    """
    pictures = {f"{figure.name}.png": png_bytes(figure) for section in figures.values() for figure in section}
    folder = out / name
    gone = [each for each in names_in(folder / FIGURES) if each.endswith(".png") and each not in pictures]
    remove_files(folder / FIGURES, gone)
    written = {f"{FIGURES}/{each}": data for each, data in sorted(pictures.items())} | {**files}
    for path, data in written.items():
        write_if_changed(folder / path, data)
    return [f"{name}/{path}" for path in reversed(written)]
