"""From documents to rows: what each phase kept, rejected and cost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from fanno_core.dataset.made import Made
from fanno_core.outcome import Usage
from fanno_core.report.numbers import FunnelPhase, PhaseCost, RejectedRow
from fanno_core.store.contracts import Rejection
from fanno_core.store.ledger import Entry

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
    """What each phase asked of the teacher for this work, whichever run asked it."""
    return tuple(_cost(phase, made.entries.get(phase["name"], ())) for phase in made.record["phases"])


def _cost(phase: Mapping[str, Any], entries: Sequence[Entry]) -> PhaseCost:
    usage = sum((entry.usage for entry in entries), Usage())
    return PhaseCost(
        phase=phase["name"],
        calls=usage.calls,
        prompt_tokens=usage.prompt_tokens,
        cached_tokens=usage.cached_tokens,
        completion_tokens=usage.completion_tokens,
        # Those of a run that reused work say nothing of what the work took.
        seconds=0.0 if phase["tasks_cached"] else phase["seconds"],
    )


def _examples(rows: Sequence[Rejection]) -> tuple[RejectedRow, ...]:
    first = sorted(rows, key=lambda row: (row.id, row.detail, row.text))[:EXAMPLES]
    return tuple(RejectedRow(row.id, row.source, row.detail, row.text[:TEXT_CHARS]) for row in first)
