"""What a new version of the data set is measured by, and the limits under which it waits unpublished."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fanno_core.report.measures.diversity import distinct_ngrams, near_duplicates, nearest_cosines
from fanno_core.settings import Settings
from fanno_core.store.contracts import Example, Floats, question_of

DIGITS = 6


@dataclass(frozen=True, slots=True)
class Measures:
    """A version in numbers. Shares and means are 0 where there is nothing to take them of.

    Attributes:
        rows: how many it has.
        instructions: how many were put to the teacher for a response.
        acceptance: rows over instructions, in [0, 1].
        near_duplicates: share of rows whose question is at least `filters.novelty` near (cosine) to another row's.
        distinct_2: different 2-grams of words over all of them, in the rows' questions.
        instruction_words, output_words: mean lengths, in words parted by white space.
    """

    rows: int
    instructions: int
    acceptance: float
    near_duplicates: float
    distinct_2: float
    instruction_words: float
    output_words: float


def measures(rows: Sequence[Example], instructions: int, vectors: Floats, settings: Settings) -> Measures:
    """The measures of a version, at any size in one pass over its rows and one search of its vectors.

    Args:
        rows: the data set.
        instructions: how many instructions it was made from, at least as many as it has rows.
        vectors: `[n, d]` unit vectors of the rows' questions, in their order.
        settings: for `filters.novelty`, and for how the vectors are searched.

    Raises:
        MissingExtra: FAISS is not installed.
    """
    questions = [question_of(row) for row in rows]
    nearest = nearest_cosines(vectors, settings.communities.exact_below, settings.run.seed)
    return Measures(
        rows=len(rows),
        instructions=instructions,
        acceptance=_share(len(rows), instructions),
        near_duplicates=_share(near_duplicates(nearest, settings.filters.novelty), len(rows)),
        distinct_2=distinct_ngrams(questions)["2"],
        instruction_words=_mean_words(questions),
        output_words=_mean_words([row.output for row in rows]),
    )


def held_back(new: Measures, old: Measures | None, retired: int, settings: Settings) -> tuple[str, ...]:
    """A sentence for each limit of `settings.refresh` that does not hold; none: the version may be published.

    A value that equals its limit passes.

    Args:
        new: the version that waits.
        old: the current version; None where there is none yet.
        retired: rows of the current version that the new one has no more.
        settings: the limits.
    """
    limits = settings.refresh
    lost = _share(retired, old.rows) if old else 0.0
    checks = (
        (new.rows < limits.min_rows, f"it has {new.rows:,} rows, fewer than refresh.min_rows {limits.min_rows:,}"),
        (
            new.acceptance < limits.min_acceptance,
            f"{new.acceptance:.1%} of its instructions became rows, less than refresh.min_acceptance "
            f"{limits.min_acceptance:.1%}",
        ),
        (
            new.near_duplicates > limits.max_near_duplicates,
            f"{new.near_duplicates:.1%} of its rows are near-duplicates of others, more than "
            f"refresh.max_near_duplicates {limits.max_near_duplicates:.1%}",
        ),
        (
            new.distinct_2 < limits.min_diversity,
            f"distinct-2 is {new.distinct_2:.3f}, less than refresh.min_diversity {limits.min_diversity:.3f}",
        ),
        (
            lost > limits.max_shrink,
            f"{retired:,} rows of the current version are gone, {lost:.1%} of them, more than refresh.max_shrink "
            f"{limits.max_shrink:.1%}",
        ),
    )
    return tuple(sentence for fails, sentence in checks if fails)


def _share(part: int, whole: int) -> float:
    return round(part / whole, DIGITS) if whole else 0.0


def _mean_words(texts: Sequence[str]) -> float:
    return round(float(np.mean([len(text.split()) for text in texts])), DIGITS) if texts else 0.0
