"""Two finished runs side by side: settings, funnel, measures, and the rows that both have."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from fanno_core.dataset.made import Made
from fanno_core.report.instruction_files import InstructionRow
from fanno_core.report.measure import vectors_of
from fanno_core.report.measures.comparison import InstructionData, compare, instruction_data
from fanno_core.report.numbers import Measures
from fanno_core.settings import Section, Settings
from fanno_core.store.contracts import Example, Floats, question_of

Encode = Callable[[Sequence[str]], Floats]
Pair = tuple[Any, Any]


@dataclass(frozen=True)
class Comparison:
    """Two runs: of everything the first one's value and the second one's.

    Attributes:
        outs: their folders.
        settings: the settings that differ, by name; `teacher` and `encoder` are who they were, in full.
        funnel: rows kept by phase; None where a run did not have the phase.
        measures: by name, those of `Measures` that are one number.
        rows: rows of each.
        common: ids that both have.
        identical: those of them whose instruction, input and output are the same.
    """

    outs: tuple[str, str]
    settings: Mapping[str, Pair]
    funnel: Mapping[str, Pair]
    measures: Mapping[str, Pair]
    rows: tuple[int, int]
    common: int
    identical: int


def compare_runs(first: Made, second: Made, encode: Encode) -> Comparison:
    """Both runs, side by side.

    Args:
        first: a finished run.
        second: another one, which is measured as the first one's settings say.
        encode: texts to unit vectors, as the first one's encoder does; asked where vectors were not kept.

    Raises:
        ShardDamaged: a file of one of them is missing or damaged.
        MissingExtra, RunStops: the encoder or another package that measures need cannot be used.
    """
    one, other = first.examples(), second.examples()
    measured = compare(
        [_data(made, rows, first, encode) for made, rows in ((first, one), (second, other))],
        first.settings.filters.novelty,
    )
    ours, theirs = ({row.id: (row.instruction, row.input, row.output) for row in rows} for rows in (one, other))
    common = ours.keys() & theirs.keys()
    settings = _paired(_settings(first), _settings(second))
    return Comparison(
        outs=(str(first.out), str(second.out)),
        settings={name: pair for name, pair in settings.items() if pair[0] != pair[1]},
        funnel=_paired(_funnel(first), _funnel(second)),
        measures=_paired(*map(_single_numbers, measured)),
        rows=(len(one), len(other)),
        common=len(common),
        identical=sum(ours[name] == theirs[name] for name in common),
    )


def _data(made: Made, rows: Sequence[Example], first: Made, encode: Encode) -> InstructionData:
    # Cosines of two encoders cannot be held against each other.
    is_of_first = made.record["encoder"] == first.record["encoder"]
    vectors = vectors_of(made, rows, encode) if is_of_first else encode([question_of(row) for row in rows])
    asked = [InstructionRow(row.id, row.instruction, row.input, row.output) for row in rows]
    return instruction_data(str(made.out), asked, vectors, first.settings, first.settings.report)


def _settings(made: Made) -> dict[str, Any]:
    sections: dict[str, Section] = {name: getattr(made.settings, name) for name in Settings.model_fields}
    values = {f"{name}.{key}": value for name, group in sections.items() for key, value in group.model_dump().items()}
    return values | {"teacher": str(made.teacher), "encoder": made.record["encoder"]}


def _funnel(made: Made) -> dict[str, int]:
    return {phase["name"]: phase["rows_kept"] for phase in made.record["phases"]}


def _single_numbers(measures: Measures) -> dict[str, float]:
    single = {name: value for name, value in asdict(measures).items() if isinstance(value, int | float)}
    return single | {f"distinct.{n}": share for n, share in measures.distinct.items()}


def _paired(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Pair]:
    """Both values of every name, in the order of the first and then of what only the second has."""
    return {name: (one.get(name), other.get(name)) for name in dict.fromkeys([*one, *other])}
