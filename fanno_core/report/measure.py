"""Every number of a report, from what a finished run left in its folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from fanno_core.dataset.card import written_by_teacher
from fanno_core.dataset.made import Made
from fanno_core.report.instruction_files import InstructionRow
from fanno_core.report.measures.comparison import InstructionData, compare, instruction_data
from fanno_core.report.measures.distributions import score_of
from fanno_core.report.measures.funnel import costs_of, funnel_of
from fanno_core.report.measures.growth import bandit_of, iterations_of
from fanno_core.report.measures.quality import quality_of
from fanno_core.report.measures.tags import tag_cells
from fanno_core.report.measures.topics import topic_map
from fanno_core.report.measures.verbs import verbs_of
from fanno_core.report.numbers import Diversity, Measures, Numbers, Overlap
from fanno_core.settings import Report
from fanno_core.store.contracts import Example, Floats, Vector, question_of

PREVIEW_TEACHER = "extractive"
Encode = Callable[[Sequence[str]], Floats]


def measure(
    made: Made,
    encode: Encode,
    how: Report,
    contamination: tuple[Overlap, ...] = (),
    against: Mapping[str, Sequence[InstructionRow]] | None = None,
    scores: Mapping[str, Mapping[str, float]] | None = None,
) -> Numbers:
    """All numbers of the report; the same folder, settings and encoder give the same ones.

    Args:
        made: the finished run.
        encode: texts to unit vectors, as the run's encoder does; its own instructions are not encoded again.
        how: sizes of the samples.
        contamination: rows that overlap with benchmarks, one for each file.
        against: other instruction data by its name, none without rows.
        scores: further scores, such as `ifd`, by name and then by the id of the row.

    Raises:
        ShardDamaged: a file of the run is missing or damaged.
        MissingExtra: a package that measures need is not installed.
    """
    rows, settings = made.examples(), made.settings
    asked = [InstructionRow(row.id, row.instruction, row.input, row.output) for row in rows]
    own = instruction_data(settings.publish.name, asked, vectors_of(made, rows, encode), settings, how)
    others = [
        instruction_data(name, data, encode([row.question for row in data]), settings, how)
        for name, data in (against or {}).items()
    ]
    measures = compare([own, *others], settings.filters.novelty)
    return Numbers(
        name=own.name,
        digest=made.record["dataset"]["digest"],
        teacher=str(made.teacher),
        encoder=made.record["encoder"],
        preview=_is_preview(made, rows),
        funnel=funnel_of(made),
        diversity=_diversity(made, rows, own, measures[0], how),
        iterations=iterations_of(rows),
        bandit=bandit_of(made),
        quality=quality_of(made, rows, measures[0].near_duplicates, scores or {}, contamination),
        cost=costs_of(made),
        measures=measures,
    )


def vectors_of(made: Made, rows: Sequence[Example], encode: Encode) -> Floats:
    """`[n, d]` the vectors of the rows' instructions: those that the run made, where it kept them."""
    tables = [made.extra(phase, "vectors", Vector) for phase in ("novelty", "augment")]  # noqa: S610 - no Django
    known = {row.id: row.vector for table in tables for row in table}
    missing = [row for row in rows if row.id not in known]
    known |= dict(zip((row.id for row in missing), encode([question_of(row) for row in missing]), strict=True))
    return np.stack([known[row.id] for row in rows])


def _is_preview(made: Made, rows: Sequence[Example]) -> bool:
    """Whether a teacher without weights wrote the rows, or what they were made of."""
    wrote = written_by_teacher((row.teacher for row in rows), made.record["phases"])
    return made.teacher.name == PREVIEW_TEACHER and wrote


def _diversity(made: Made, rows: Sequence[Example], own: InstructionData, measures: Measures, how: Report) -> Diversity:
    return Diversity(
        verb_objects=verbs_of(row.instruction for row in rows)[0],
        with_verb=measures.with_verb,
        distinct=measures.distinct,
        vendi=measures.vendi,
        self_rouge=score_of(own.rouge),
        self_rouge_sample=len(own.rouge),
        nearest=score_of(own.nearest),
        topics=topic_map(rows, own.vectors, how.map_rows, made.settings.run.seed),
        tags=tag_cells(made, rows),
    )
