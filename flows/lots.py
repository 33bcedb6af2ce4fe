"""The lots of a generating method, each of which may see the rows of those before it."""

from __future__ import annotations

from collections.abc import AsyncIterator

from tasks.methods import Cursor, lot_job, writing
from tasks.phase import Finished
from tasks.run import Run, Shards


async def lot_after_lot(run: Run, documents: Shards, pool: Shards) -> Shards:
    """The rows of a generating method, until it has enough, or documents or the budget run out, or nothing new comes.

    Args:
        run: the run.
        documents: shards of the queue; none for a method that reads no documents.
        pool: the rows that it begins with.
    """
    cursor = Cursor(run, documents)
    step = writing(run.settings.method.name)
    made = await run.do_all(step.phase.name, _lots(run, cursor, pool), cursor.most)
    return await cursor.finish(made)


async def _lots(run: Run, cursor: Cursor, pool: Shards) -> AsyncIterator[Finished]:
    made = Shards(())
    while made.rows < run.settings.method.rows and (lot := cursor.next(made)):
        finished = await run.submit(cursor.step, lot_job(run, cursor.step, lot, pool + made))
        made += Shards((finished.entry,))
        yield finished
