"""Think Different, window after window: each sees what the windows before it have made."""

from collections.abc import AsyncIterator, Sequence

from fanno_core.instructions.within import has_room
from fanno_core.store.ledger import FileRef
from tasks.instructions import AUGMENT, augment
from tasks.phase import Finished
from tasks.questions import questions
from tasks.run import Refs, Run, Shards


async def think_different(run: Run, seeds: Shards, windows: Sequence[FileRef], first: int = 1) -> Shards:
    """Further instructions, until there are more than `augment.limit` in all, or documents or the budget run out.

    Args:
        run: the run.
        seeds: every instruction that is there already, with vectors and the bandit's states.
        windows: documents, a shard a window.
        first: number of the first window.
    """
    if not (run.settings.augment.iterate and windows and seeds.rows):
        return Shards(())
    return await run.do_all(AUGMENT.name, _windows(run, seeds, windows, first), len(windows))


async def _windows(run: Run, seeds: Shards, windows: Sequence[FileRef], first: int) -> AsyncIterator[Finished]:
    pool = seeds
    for iteration, window in enumerate(windows, first):
        if pool.rows > run.settings.augment.limit:
            break
        if not has_room(run.settings, questions(run), pool.rows, window.rows):
            break
        inputs: dict[str, Refs] = {
            "documents": (window,),
            "pool": pool,
            "vectors": pool.table("vectors"),
            "bandit": pool.table("bandit")[-1:],
        }
        job = run.job(AUGMENT, inputs, {"iteration": iteration}, f"window {iteration}")
        step = await run.submit_within(augment, job)
        if not step:
            break
        pool += Shards((step.entry,))
        yield step
