"""What stands on top of the report: a handful of figures in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fanno_core.report.numbers import Numbers, PhaseCost


@dataclass(frozen=True, slots=True)
class Headline:
    """A figure and what it means."""

    value: str
    means: str


def rows_of(numbers: Numbers) -> int:
    """Rows of the data set: what the last phase kept."""
    return numbers.funnel[-1].kept if numbers.funnel else 0


def total_of(cost: Sequence[PhaseCost]) -> PhaseCost:
    """The sums over all phases; no seconds where those of a phase were not measured."""
    return PhaseCost(
        "all phases",
        sum(each.calls for each in cost),
        sum(each.prompt_tokens for each in cost),
        sum(each.cached_tokens for each in cost),
        sum(each.completion_tokens for each in cost),
        sum(each.seconds for each in cost) if all(each.seconds for each in cost) else 0.0,
    )


def headlines(numbers: Numbers) -> list[Headline]:
    """The figures that an engineer asks for first; what was not measured is left out."""
    return [*_of_rows(numbers), *_of_diversity(numbers), *_of_quality(numbers), *_of_cost(numbers)]


def _of_rows(numbers: Numbers) -> Iterator[Headline]:
    yield Headline(f"{rows_of(numbers):,}", "instruction and response pairs")
    written = sum(phase.candidates for phase in numbers.funnel if phase.name in {"seeds", "augment"})
    if written:
        yield Headline(f"{rows_of(numbers) / written:.0%}", f"of {written:,} instructions written became rows")
    weights = sum(each.rows for each in numbers.iterations)
    if weights:
        tokens = sum(each.rows * each.output_tokens for each in numbers.iterations) / weights
        words = sum(each.rows * each.instruction_words for each in numbers.iterations) / weights
        yield Headline(f"{tokens:,.0f}", f"tokens a response on average, to instructions of {words:,.0f} words")


def _of_diversity(numbers: Numbers) -> Iterator[Headline]:
    diversity = numbers.diversity
    if diversity.vendi:
        yield Headline(f"{diversity.vendi:,.0f}", "effectively different instructions (Vendi score)")
    if diversity.nearest.rows:
        yield Headline(f"{diversity.nearest.mean:.2f}", "mean cosine of an instruction to its nearest neighbour")


def _of_quality(numbers: Numbers) -> Iterator[Headline]:
    quality = numbers.quality
    yield Headline(f"{quality.near_duplicates:,}", f"near-duplicates left, and {quality.refusals:,} refusals")
    if quality.contamination:
        overlapping = len({row for overlap in quality.contamination for row in overlap.rows})
        more = "at least " if any(len(overlap.rows) >= 100 for overlap in quality.contamination) else ""
        files = len(quality.contamination)
        yield Headline(f"{more}{overlapping:,}", f"rows overlap with {files} benchmark file{'s' * (files > 1)}")


def _of_cost(numbers: Numbers) -> Iterator[Headline]:
    total, rows = total_of(numbers.cost), rows_of(numbers)
    if total.calls and rows:
        tokens = (total.prompt_tokens + total.completion_tokens) / rows
        yield Headline(f"{tokens:,.0f}", "teacher tokens read and written for each row")
