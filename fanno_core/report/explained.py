"""Which rows the report explains as `fanno explain` does: each rejected example, and a sample of the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from fanno_core.dataset.made import Made
from fanno_core.lineage.explain import explain_each
from fanno_core.lineage.explanation import Explanation
from fanno_core.lineage.find import SCREENING
from fanno_core.report.numbers import FunnelPhase, Numbers
from fanno_core.report.table import ReportRow

T = TypeVar("T")


async def explained(made: Made, numbers: Numbers, rows: Sequence[ReportRow]) -> list[Explanation]:
    """The explanations of the rejected examples and of `report.explained_rows` rows, each once.

    Args:
        made: the run.
        numbers: of its report, which name the rejected examples.
        rows: of its report's table, in the order of their ids.

    Raises:
        ShardDamaged: a shard is missing or damaged.
        TryAgain: the object store cannot be reached.
    """
    most = made.settings.report.explained_rows
    if not most:
        return []
    ids = dict(_rejected(numbers.funnel)) | {row.id: False for row in evenly(rows, most)}
    return [told async for told in explain_each(made, ids.items())]


def evenly(rows: Sequence[T], most: int) -> list[T]:
    """At most so many of the rows, as far apart as they can be; the first is among them."""
    count = min(most, len(rows))
    return [rows[number * len(rows) // count] for number in range(count)]


def _rejected(funnel: Sequence[FunnelPhase]) -> list[tuple[str, bool]]:
    """The ids of the examples, each with whether it is a document's."""
    return [(row.id, phase.name in SCREENING) for phase in funnel for rows in phase.examples.values() for row in rows]
