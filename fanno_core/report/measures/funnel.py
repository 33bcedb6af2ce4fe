"""From documents to rows: what each phase kept, rejected and cost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from fanno_core.dataset.made import Made
from fanno_core.report.numbers import FunnelPhase, PhaseCost, RejectedRow
from fanno_core.store.contracts import Rejection

EXAMPLES = 3
"""Rejected rows shown for each reason: those whose ids, which are digests, come first."""
TEXT_CHARS = 300


def funnel_of(made: Made) -> tuple[FunnelPhase, ...]:
    """Each phase of the run in its order, with up to three rejected rows for each reason.

    Raises:
        ShardDamaged: a shard of rejected rows is missing or damaged.
    """
    rejected: defaultdict[tuple[str, str], list[Rejection]] = defaultdict(list)
    for row in made.rejections():
        rejected[row.phase, row.reason].append(row)
    return tuple(
        FunnelPhase(
            name=phase["name"],
            candidates=phase["candidates"],
            kept=phase["rows_kept"],
            rejected=phase["rejected"],
            examples={reason: _examples(rejected[phase["name"], reason]) for reason in phase["rejected"]},
        )
        for phase in made.record["phases"]
    )


def costs_of(made: Made) -> tuple[PhaseCost, ...]:
    """What each phase asked of the teacher in the last run; work that was reused asked nothing."""
    return tuple(
        PhaseCost(
            phase=phase["name"],
            calls=phase["teacher_calls"],
            prompt_tokens=phase["prompt_tokens"],
            cached_tokens=phase["cached_tokens"],
            completion_tokens=phase["completion_tokens"],
            seconds=phase["seconds"],
        )
        for phase in made.record["phases"]
    )


def _examples(rows: Sequence[Rejection]) -> tuple[RejectedRow, ...]:
    first = sorted(rows, key=lambda row: (row.id, row.detail, row.text))[:EXAMPLES]
    return tuple(RejectedRow(row.id, row.source, row.detail, row.text[:TEXT_CHARS]) for row in first)
