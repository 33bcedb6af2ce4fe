"""What can be measured on any instruction data, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from fanno_core.report.instruction_files import InstructionRow
from fanno_core.report.measures.distributions import count_edges, histogram_of, mean_of
from fanno_core.report.measures.diversity import (
    Scores,
    distinct_ngrams,
    near_duplicates,
    nearest_cosines,
    self_rouge,
    vendi_score,
)
from fanno_core.report.measures.quality import count_refusals, repetitions
from fanno_core.report.measures.verbs import verbs_of
from fanno_core.report.numbers import Histogram, Measures
from fanno_core.settings import Report, Settings
from fanno_core.store.contracts import Floats
from fanno_core.text import words_of


@dataclass(frozen=True)
class InstructionData:
    """Instruction data under its name, with what takes long to measure on it.

    Attributes:
        name: as the report calls it.
        rows: never none.
        vectors: `[n, d]` the unit vectors of the rows' questions, in their order.
        nearest: `[n]` the cosine of each to the nearest other one.
        rouge: the largest ROUGE-L F of each instruction of a sample to any other of the sample.
    """

    name: str
    rows: Sequence[InstructionRow]
    vectors: Floats
    nearest: Scores
    rouge: Scores


def instruction_data(
    name: str, rows: Sequence[InstructionRow], vectors: Floats, settings: Settings, how: Report
) -> InstructionData:
    """Rows with their `[n, d]` vectors, and how near they are to each other."""
    seed = settings.run.seed
    nearest = nearest_cosines(vectors, settings.communities.exact_below, seed)
    rouge = self_rouge([row.instruction for row in rows], how.rouge_rows, seed)
    return InstructionData(name, rows, vectors, nearest, rouge)


def compare(data: Sequence[InstructionData], novelty: float) -> tuple[Measures, ...]:
    """The measures of each, in their order; the bins of lengths are the same for all.

    Args:
        data: what is held against each other.
        novelty: cosine from which instructions are near-duplicates.
    """
    asked = [[len(words_of(row.instruction)) for row in each.rows] for each in data]
    answered = [[len(words_of(row.output)) for row in each.rows] for each in data]
    asked_edges, answered_edges = count_edges(chain(*asked)), count_edges(chain(*answered))
    return tuple(
        _measures(each, novelty, histogram_of(questions, asked_edges), histogram_of(responses, answered_edges))
        for each, questions, responses in zip(data, asked, answered, strict=True)
    )


def _measures(data: InstructionData, novelty: float, asked: Histogram, answered: Histogram) -> Measures:
    instructions = [row.instruction for row in data.rows]
    outputs = [row.output for row in data.rows]
    _, with_verb, verbs = verbs_of(instructions)
    return Measures(
        name=data.name,
        rows=len(data.rows),
        instruction_words=asked,
        output_words=answered,
        distinct=distinct_ngrams(instructions),
        vendi=vendi_score(data.vectors),
        self_rouge=mean_of(data.rouge),
        nearest=mean_of(data.nearest),
        near_duplicates=near_duplicates(data.nearest, novelty),
        repetition=mean_of(repetitions(outputs)),
        refusals=count_refusals(outputs),
        with_verb=with_verb,
        verbs=verbs,
    )
