"""Runs of several methods side by side: what each of them asked for its rows, and what these are like."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from pathlib import Path

from fanno_core.dataset.made import Made
from fanno_core.outcome import Usage
from fanno_core.report.instruction_files import InstructionRow
from fanno_core.report.make import contamination_of
from fanno_core.report.measure import PREVIEW_TEACHER, vectors_of
from fanno_core.report.measures.comparison import InstructionData, compare, instruction_data
from fanno_core.report.measures.distributions import mean_of
from fanno_core.report.measures.quality import copied_shares
from fanno_core.report.numbers import Measures, Overlap
from fanno_core.selection.ifd import ifd
from fanno_core.selection.losses import Scorer, load_scorer
from fanno_core.store.contracts import Example, Floats, Placed
from fanno_core.text import words_of

Encode = Callable[[Sequence[str]], Floats]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a run put to the teacher; answers that the journal gave count as any others.

    Attributes:
        screening: questions about documents, which no method answers for.
        questions: all others.
        tokens: read and written for these; an estimate where the journal answered; None where it does not know a
            prompt that it answered.
        questions_a_row, tokens_a_row: the same for each row of the data set.
    """

    screening: int
    questions: int
    tokens: float | None
    questions_a_row: float
    tokens_a_row: float | None


@dataclass(frozen=True, slots=True)
class MethodRow:
    """A method that made rows.

    Attributes:
        method: its name, which is that of its folder and of its `measures`, too.
        digest: of its data set.
        asked: what it put to the teacher.
        measures: those of any instruction data.
        instruction_words, output_words: mean lengths.
        copied: mean share of a response's words in runs copied from its own document; None where no row has one.
        ifd: mean instruction-following difficulty by loss; None where no model scored a row.
        ifd_rows: rows that it scored.
        contamination: rows that overlap with benchmarks, one for each file.
    """

    method: str
    digest: str
    asked: Asked
    measures: Measures
    instruction_words: float
    output_words: float
    copied: float | None
    ifd: float | None
    ifd_rows: int
    contamination: tuple[Overlap, ...]

    @property
    def rows(self) -> int:
        """Rows of its data set."""
        return self.measures.rows


@dataclass(frozen=True, slots=True)
class SeveralRuns:
    """Methods with one teacher and one budget.

    Attributes:
        teacher, encoder: of all of them.
        preview: whether the teacher has no weights.
        budget: questions that each might put, screening apart; 0: as many as it wanted.
        ifd_model: name of the model that scored, without its folder; empty where none did.
        rows: a method each, in the order in which they were named.
        stopped: methods that made none, each with the sentence that it ended with.
    """

    teacher: str
    encoder: str
    preview: bool
    budget: int
    ifd_model: str
    rows: tuple[MethodRow, ...]
    stopped: Mapping[str, str]


@dataclass(frozen=True)
class Comparing:
    """How runs are compared.

    Attributes:
        encode: texts to unit vectors, as the runs' encoder does.
        screening: phases whose questions are told apart.
        tokens: what the journal's answers took, by prompt.
        ifd_model: folder or hub name of what scores instruction-following difficulty; empty: nothing does.
        benchmarks: files in which rows are looked for.
    """

    encode: Encode
    screening: Collection[str]
    tokens: Mapping[str, Usage]
    ifd_model: str = ""
    benchmarks: Sequence[Path] = ()


def measure_runs(mades: Mapping[str, Made], how: Comparing, stopped: Mapping[str, str]) -> SeveralRuns:
    """All runs, on the same measures and the same bins.

    Args:
        mades: finished runs by their methods, at least one; settings of the first say how all are measured.
        how: what to compare with.
        stopped: methods without a run, and why.

    Raises:
        ShardDamaged: a file of one of them is missing or damaged.
        BadSettings: a benchmark cannot be read.
        MissingExtra, RunStops: the encoder or another package that measures need cannot be used.
    """
    first = next(iter(mades.values()))
    examples = {name: made.examples() for name, made in mades.items()}
    data = [_data(name, made, examples[name], first, how.encode) for name, made in mades.items()]
    measured = compare(data, first.settings.filters.novelty)
    scorer = load_scorer(how.ifd_model) if how.ifd_model else None
    rows = tuple(
        _row(each, made, examples[each.name], how, scorer) for each, made in zip(measured, mades.values(), strict=True)
    )
    return SeveralRuns(
        teacher=str(first.teacher),
        encoder=first.record["encoder"],
        preview=first.teacher.name == PREVIEW_TEACHER,
        budget=first.settings.method.budget,
        ifd_model=Path(how.ifd_model).name,
        rows=rows,
        stopped=dict(stopped),
    )


def asked_of(made: Made, screening: Collection[str], tokens: Mapping[str, Usage]) -> Asked:
    """What a run put to the teacher for its data set.

    Tokens of what the teacher answered to this run are those that its ledger holds, whatever else is in the journal.
    The ledger does not hold those of a question that the journal answered. It counts as the mean of the run's own
    questions with that prompt, and where the journal answered all of these, as the mean of all its answers to it.

    Args:
        made: the run.
        screening: phases whose questions are told apart.
        tokens: what the journal's answers took, by prompt.
    """
    entries = [(phase, entry) for phase, entries in made.entries.items() for entry in entries]
    apart = sum((entry.usage for phase, entry in entries if phase in screening), Usage()).questions
    asked: dict[str, Usage] = {}
    for prompt, used in (pair for phase, entry in entries if phase not in screening for pair in entry.asked.items()):
        asked[prompt] = asked.get(prompt, Usage()) + used
    questions, rows = sum(used.questions for used in asked.values()), made.record["dataset"]["rows"]
    spent = _spent({prompt: used for prompt, used in asked.items() if used.questions}, tokens)
    return Asked(apart, questions, spent, questions / rows, None if spent is None else spent / rows)


def _spent(asked: Mapping[str, Usage], tokens: Mapping[str, Usage]) -> float | None:
    """Tokens of all questions; None where neither the run nor the journal knows those of a prompt."""
    means = {prompt: used if used.calls else tokens.get(prompt, Usage()) for prompt, used in asked.items()}
    if not all(mean.calls for mean in means.values()):
        return None
    return sum(
        (mean.prompt_tokens + mean.completion_tokens) * asked[prompt].questions / mean.calls
        for prompt, mean in means.items()
    )


def _data(name: str, made: Made, rows: Sequence[Example], first: Made, encode: Encode) -> InstructionData:
    asked = [InstructionRow(row.id, row.instruction, row.input, row.output) for row in rows]
    return instruction_data(name, asked, vectors_of(made, rows, encode), first.settings, first.settings.report)


def _row(measures: Measures, made: Made, rows: Sequence[Example], how: Comparing, scorer: Scorer | None) -> MethodRow:
    copied = copied_shares(rows, {row.id: row for row in made.kept("queue", Placed)})
    losses = [found.by_loss for found in ifd(rows, scorer)] if scorer else []
    scores = [loss for loss in losses if not isnan(loss)]
    return MethodRow(
        method=measures.name,
        digest=made.record["dataset"]["digest"],
        asked=asked_of(made, how.screening, how.tokens),
        measures=measures,
        instruction_words=mean_of([len(words_of(row.instruction)) for row in rows]),
        output_words=mean_of([len(words_of(row.output)) for row in rows]),
        copied=mean_of(list(copied.values())) if copied else None,
        ifd=mean_of(scores) if scores else None,
        ifd_rows=len(scores),
        contamination=contamination_of(made, how.encode, how.benchmarks),
    )
