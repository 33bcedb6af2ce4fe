"""What is measured again, held against other files, and carried from elsewhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from fanno_core.dataset.made import open_made
from fanno_core.report.instruction_files import InstructionRow, read_instruction_file
from fanno_core.report.measure import measure
from fanno_core.report.numbers import Numbers, Overlap
from tests.report.measured import SMALL, encode, never
from tests.report.recompute import binned, count_edges, words


def test_the_same_again(numbers: Numbers, finished: Path) -> None:
    assert measure(open_made(finished), never, SMALL) == numbers


def test_held_against_another_file(numbers: Numbers, finished: Path) -> None:
    own = read_instruction_file(finished / "dataset" / "alpaca.json")
    other = [InstructionRow(str(n), row.instruction, row.input, f"{row.output} word" * 40) for n, row in enumerate(own)]
    other[1:3] = [other[0], other[0]]
    both = measure(open_made(finished), encode, SMALL, against={"theirs": other})
    ours, theirs = both.measures
    assert (ours.name, theirs.name) == ("fanno", "theirs")
    assert ours.instruction_words.edges == theirs.instruction_words.edges
    assert ours.output_words.edges == theirs.output_words.edges
    lengths = [len(words(row.output)) for row in other]
    both_lengths = lengths + [len(words(row.output)) for row in own]
    assert theirs.output_words == binned(lengths, count_edges(both_lengths))
    assert replace(ours, output_words=numbers.measures[0].output_words) == numbers.measures[0]
    vectors = encode([row.question for row in other])
    cosines = vectors @ vectors.T - 2 * np.eye(len(vectors))
    threshold = open_made(finished).settings.filters.novelty
    assert theirs.near_duplicates == (cosines.max(axis=1) >= threshold).sum() >= 3
    assert theirs.repetition > 0.5
    assert both.diversity == numbers.diversity


def test_what_others_have_measured_is_carried(numbers: Numbers, finished: Path, rows: pd.DataFrame) -> None:
    overlap = Overlap("bench.jsonl", 10, 1, 0, (rows.id[0],))
    ifd = {rows.id[0]: 0.5, rows.id[1]: 1.7, "gone": 9.0}
    found = measure(open_made(finished), never, SMALL, (overlap,), scores={"ifd": ifd})
    assert found.quality.contamination == (overlap,)
    score = found.quality.scores["ifd"]
    assert (score.rows, score.mean, score.histogram.edges[-1]) == (2, 1.1, 2.0)
    assert replace(found.quality, contamination=(), scores=numbers.quality.scores) == numbers.quality
