"""`OUT/report/`, made from what a finished run left: measured, held against other files, drawn and written."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from math import isnan
from pathlib import Path

from fanno_core.dataset.made import Made, open_made
from fanno_core.decontamination.benchmarks import find_benchmarks
from fanno_core.decontamination.overlap import open_benchmark, overlaps
from fanno_core.report.explained import explained
from fanno_core.report.instruction_files import InstructionRow, read_instruction_file
from fanno_core.report.measure import measure, vectors_of
from fanno_core.report.numbers import Numbers, Overlap
from fanno_core.report.table import report_rows
from fanno_core.report.write import write_report
from fanno_core.selection.ifd import ifd_scores
from fanno_core.store.contracts import Floats
from fanno_core.store.location import Location

Encode = Callable[[Sequence[str]], Floats]


def make_report(
    out: Location, encode: Encode, against: Sequence[Path] = (), decontaminate: Sequence[Path] = ()
) -> list[str]:
    """The paths below `out` of the files that were written, the page first.

    It runs an event loop of its own: where one runs already, call it in another thread.

    Args:
        out: the folder of a finished run.
        encode: texts to unit vectors, as the run's encoder does.
        against: instruction files to hold the data set against.
        decontaminate: benchmark files in which rows are looked for, besides those of the run's settings.

    Raises:
        RunStops: there is no finished run, or the report cannot be written.
        TryAgain: the object store cannot be reached.
        ShardDamaged: a file of the run is missing or damaged.
        BadCorpus: a file of `against` is no instruction data; the message names it.
        BadSettings: a file of `decontaminate` cannot be read; the message names it.
        MissingExtra: a package that a measure needs is not installed.
    """
    return report_on(open_made(out), out, encode, against, decontaminate)


def report_on(
    made: Made, folder: Location, encode: Encode, against: Sequence[Path] = (), decontaminate: Sequence[Path] = ()
) -> list[str]:
    """The same for a run or version that is open; the report goes below `folder`."""
    numbers, rows = numbers_of(made, encode, against, decontaminate), report_rows(made)
    return write_report(folder, numbers, rows, asyncio.run(explained(made, numbers, rows)))


def numbers_of(made: Made, encode: Encode, against: Sequence[Path] = (), decontaminate: Sequence[Path] = ()) -> Numbers:
    """Every number of the report; arguments and errors are those of `make_report`."""
    others = read_against(against)  # before anything that takes time
    contamination = contamination_of(made, encode, decontaminate)
    return measure(made, encode, made.settings.report, contamination, others, _scores(made))


def _scores(made: Made) -> dict[str, dict[str, float]]:
    """Scores that a model of the user's gives, by name and row; rows that it cannot score have none."""
    model = made.settings.report.ifd_model
    if not model:
        return {}
    rows = made.examples()
    scored = zip(rows, ifd_scores(rows, model), strict=True)
    return {"ifd": {row.id: score for row, score in scored if not isnan(score)}}


def read_against(files: Iterable[Path]) -> dict[str, list[InstructionRow]]:
    """The rows of each instruction file by its name; files of one name are told apart by their folders.

    Raises:
        BadCorpus: one is no instruction data.
    """
    rows: dict[str, list[InstructionRow]] = {}
    for file in dict.fromkeys(path.absolute() for path in files):
        rows[str(file) if file.name in rows else file.name] = read_instruction_file(file)
    return rows


def contamination_of(made: Made, encode: Encode, files: Sequence[Path]) -> tuple[Overlap, ...]:
    """How the rows overlap with these benchmark files and those of the run's settings; of one that is gone, its name.

    Raises:
        BadSettings: one of `files` cannot be read.
    """
    of_run = made.settings.decontaminate.files
    there = [name for name in of_run if Path(name).is_file()]
    gone = [Overlap(f"{Path(name).name} (not found)", 0, 0, 0, ()) for name in of_run if name not in there]
    names = tuple(dict.fromkeys([*there, *map(str, files)]))
    settings = made.settings.decontaminate.model_copy(update={"files": names})
    benchmarks = [open_benchmark(file, settings, encode) for file in find_benchmarks(settings)]
    if not benchmarks:
        return tuple(gone)
    rows = made.examples()
    return (*overlaps(rows, vectors_of(made, rows, encode), benchmarks, settings.similarity), *gone)
