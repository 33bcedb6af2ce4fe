"""The table of a comparison: each measure once, with its value for every method."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fanno_core.report.several_runs import MethodRow, SeveralRuns
from fanno_core.report.written import WRITTEN

NOT_TOLD = "–"


@dataclass(frozen=True, slots=True)
class Line:
    """One measure.

    Attributes:
        measure: what it is called.
        values: one for each method, in their order; None where it cannot be told.
        shown: the same for people.
    """

    measure: str
    values: tuple[float | None, ...]
    shown: tuple[str, ...]


def table_of(found: SeveralRuns) -> tuple[Line, ...]:
    """Every measure of the comparison; those that nothing was told of are left out."""
    lines = [*_cost(found.rows), *_diversity(found.rows), *_responses(found.rows), *_benchmarks(found.rows)]
    return tuple(line for line in lines if any(value is not None for value in line.values))


def _line(measure: str, written: str, values: Iterator[float | None]) -> Line:
    found = tuple(values)
    return Line(measure, found, tuple(NOT_TOLD if value is None else WRITTEN[written](value) for value in found))


def _cost(rows: tuple[MethodRow, ...]) -> Iterator[Line]:
    yield _line("rows", "count", (row.rows for row in rows))
    yield _line("questions to the teacher", "count", (row.asked.questions for row in rows))
    yield _line("questions a row", "number", (row.asked.questions_a_row for row in rows))
    yield _line("tokens a row", "number", (row.asked.tokens_a_row for row in rows))
    yield _line("questions of the screening", "count", (row.asked.screening for row in rows))


def _diversity(rows: tuple[MethodRow, ...]) -> Iterator[Line]:
    for n in dict.fromkeys(n for row in rows for n in row.measures.distinct):
        yield _line(f"distinct-{n}", "share", (row.measures.distinct.get(n) for row in rows))
    yield _line("Vendi score", "number", (row.measures.vendi for row in rows))
    yield _line("mean self-ROUGE-L", "cosine", (row.measures.self_rouge for row in rows))
    yield _line("mean cosine to the nearest", "cosine", (row.measures.nearest for row in rows))
    yield _line("near-duplicates", "count", (row.measures.near_duplicates for row in rows))
    yield _line("different root verbs", "count", (row.measures.verbs for row in rows))


def _responses(rows: tuple[MethodRow, ...]) -> Iterator[Line]:
    yield _line("words an instruction", "number", (row.instruction_words for row in rows))
    yield _line("words a response", "number", (row.output_words for row in rows))
    yield _line("repetition in responses", "share", (row.measures.repetition for row in rows))
    yield _line("refusals", "count", (row.measures.refusals for row in rows))
    yield _line("copied from the document", "share", (row.copied for row in rows))
    yield _line("mean IFD by loss", "cosine", (row.ifd for row in rows))


def _benchmarks(rows: tuple[MethodRow, ...]) -> Iterator[Line]:
    """Rows that overlap with each benchmark; the files are the same for every method."""
    for files in zip(*(row.contamination for row in rows), strict=True):
        yield _line(f"in {files[0].name}, by n-gram", "count", (each.by_ngram for each in files))
        yield _line(f"in {files[0].name}, by embedding", "count", (each.by_embedding for each in files))
