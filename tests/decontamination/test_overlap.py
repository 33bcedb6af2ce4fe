"""Rows against benchmarks: what counts as overlap, what is told of it, and what is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from fanno_core.decontamination.benchmarks import find_benchmarks
from fanno_core.decontamination.overlap import Benchmark, open_benchmark, overlaps, shared_with
from fanno_core.settings import Decontaminate
from fanno_core.store.contracts import Floats

LONG = "A train leaves the old station at noon and travels north for three hours without a single stop."
SHORT = "Who wrote Emma?"


@dataclass(frozen=True)
class Row:
    """A row of any instruction data."""

    id: str
    instruction: str
    input: str = ""
    output: str = ""


def unlike(texts: Sequence[str]) -> Floats:
    """Unit vectors that are orthogonal to each other and to the rows'."""
    return np.eye(8, dtype=np.float32)[: len(texts)]


def opened(folder: Path, *texts: str, ngram: int = 13) -> Benchmark:
    """A benchmark of these texts."""
    (folder / "benchmark.txt").write_text("\n".join(texts), encoding="utf-8")
    settings = Decontaminate(files=(str(folder / "benchmark.txt"),), ngram=ngram)
    return open_benchmark(find_benchmarks(settings)[0], settings, unlike)


def apart(rows: Sequence[Row]) -> Floats:
    """Unit vectors of rows that are orthogonal to every benchmark text's."""
    return np.repeat(np.eye(8, dtype=np.float32)[-1:], len(rows), axis=0)


def runs(benchmark: Benchmark, *rows: Row) -> list[int]:
    (found,) = shared_with(rows, apart(rows), [benchmark], 0.9)
    return [int(count) for count in found.runs]


def test_a_run_is_found_in_instruction_input_and_output_and_across_them(tmp_path: Path) -> None:
    first, rest = LONG.split(" at ")
    rows = [
        Row("1", LONG),
        Row("2", "Sum up.", LONG),
        Row("3", "Tell me.", "", LONG),
        Row("4", first, f"at {rest}"),
        Row("5", ""),
    ]
    # 18 words have 6 runs of 13.
    assert runs(opened(tmp_path, SHORT, LONG), *rows) == [6, 6, 6, 6, 0]


def test_a_run_that_a_row_repeats_counts_once(tmp_path: Path) -> None:
    assert runs(opened(tmp_path, LONG), Row("1", LONG, "", f"{LONG} {LONG}")) == [6]


def test_a_short_text_has_to_be_all_that_is_asked(tmp_path: Path) -> None:
    rows = [
        Row("1", "who wrote EMMA"),
        Row("2", "Who wrote", "Emma?"),
        Row("3", "Who wrote Emma, and when?"),
        Row("4", "Repeat.", "", SHORT),
        Row("5", SHORT, "Emma is a novel."),
    ]
    assert runs(opened(tmp_path, SHORT), *rows) == [1, 1, 0, 0, 1]


def test_the_length_of_a_run_is_a_setting(tmp_path: Path) -> None:
    row = Row("1", "She said that who wrote Emma matters.")
    assert runs(opened(tmp_path, SHORT, ngram=3), row) == [1]
    assert runs(opened(tmp_path, SHORT, ngram=4), row) == [0]


@pytest.mark.parametrize(("cosine", "near"), [(0.9, True), (0.8999, False), (1.0, True)])
def test_the_bound_itself_is_too_near(tmp_path: Path, cosine: float, near: bool) -> None:
    benchmark = opened(tmp_path, LONG, SHORT)
    vector = np.zeros((1, 8), np.float32)
    vector[0, 1], vector[0, 7] = cosine, np.sqrt(1 - cosine**2)
    (found,) = shared_with([Row("1", "Something else.")], vector, [benchmark], 0.9)
    assert found.by_embedding.tolist() == [near]
    assert not found.by_ngram.any()


def test_overlaps_are_counted_by_file_and_name_the_rows(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    benchmarks = [opened(tmp_path / "a", LONG), opened(tmp_path / "b", "Nothing", SHORT)]
    rows = [Row("1", LONG), Row("2", SHORT), Row("3", "Another."), Row("4", LONG)]
    vectors = apart(rows)
    vectors[2] = np.eye(8)[1]  # the second text of a benchmark, which only the second has
    first, second = overlaps(rows, vectors, benchmarks, 0.9)
    assert (first.items, first.by_ngram, first.by_embedding, first.rows) == (1, 2, 0, ("1", "4"))
    assert (second.items, second.by_ngram, second.by_embedding, second.rows) == (2, 1, 1, ("2", "3"))


def test_no_rows_and_no_benchmarks(tmp_path: Path) -> None:
    assert overlaps([Row("1", "A.")], apart([Row("1", "A.")]), [], 0.9) == ()
    (found,) = overlaps([], np.zeros((0, 8), np.float32), [opened(tmp_path, LONG)], 0.9)
    assert (found.by_ngram, found.by_embedding, found.rows) == (0, 0, ())
