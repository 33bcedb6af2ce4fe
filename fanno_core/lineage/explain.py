"""`fanno explain`: how a row or document came to be what it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from itertools import islice

from fanno_core.dataset.made import Made
from fanno_core.lineage.documents import screened
from fanno_core.lineage.explanation import Child, Explanation
from fanno_core.lineage.find import SCREENING, find_id
from fanno_core.lineage.made import Lots, explain_made
from fanno_core.lineage.replay import Replay, open_journal
from fanno_core.lineage.rows import explain_row
from fanno_core.lineage.shelves import Shelves
from fanno_core.store.contracts import Example, question_of

AT_ONCE = 64
"""Explanations whose questions to the journal go together: alone, a question to SQLite takes 25 times as long."""


async def explain(made: Made, typed: str) -> Explanation:
    """All that there is to say of one row or document, kept or rejected. Nobody is asked and nothing is written.

    Args:
        made: the run.
        typed: the id, or enough of its first digits that no other begins so.

    Raises:
        RunStops: nothing of the run has that id, or too much begins so.
        ShardDamaged: a shard is missing or damaged.
        TryAgain: the object store cannot be reached.
    """
    shelves = Shelves(made)
    row_id, is_document = find_id(shelves, typed)
    return await _explain(shelves, Lots(shelves, open_journal(made)), row_id, is_document)


async def explain_each(made: Made, ids: Iterable[tuple[str, bool]]) -> AsyncGenerator[Explanation]:
    """The same of many rows and documents, one after the other: each shard is read once.

    Args:
        made: the run.
        ids: whole ids, each with whether it is a document's.

    Raises:
        ShardDamaged: a shard is missing or damaged, or none holds one of them.
        TryAgain: the object store cannot be reached.
    """
    shelves, left = Shelves(made, in_memory=True), iter(ids)
    lots = Lots(shelves, open_journal(made))
    while together := [*islice(left, AT_ONCE)]:
        for told in await asyncio.gather(*(_explain(shelves, lots, *each) for each in together)):
            yield told


async def _explain(shelves: Shelves, lots: Lots, row_id: str, is_document: bool) -> Explanation:
    replay = Replay(shelves.made.teacher, lots.journal)
    if not is_document and lots.has(row_id):
        return await explain_made(shelves, row_id, replay, lots)
    return await (_explain_document if is_document else explain_row)(shelves, row_id, replay)


async def _explain_document(shelves: Shelves, document_id: str, replay: Replay) -> Explanation:
    document = await screened(shelves, document_id, replay)
    return Explanation(
        id=document_id,
        kind="document",
        fate=document.fate,
        document=document.source,
        screening=document.checks,
        place=document.place,
        questions=tuple(replay.asked),
        children=_children(shelves, document_id),
    )


def _children(shelves: Shelves, document_id: str) -> tuple[Child, ...]:
    """What was written from a document, rows of the data set first."""
    rows = shelves.rows(shelves.kept("publish"), Example, "document_id", {document_id})
    later = [phase for phase in shelves.made.entries if phase not in SCREENING]
    dropped = shelves.rejections(later, "document_id", document_id)
    return (
        *(Child(row.id, question_of(row), True, "publish") for row in rows),
        *(Child(row.id, row.text, False, row.phase, row.reason) for row in dropped),
    )
