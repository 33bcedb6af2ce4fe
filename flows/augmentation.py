"""Think Different, window after window: each sees what the windows before it have made."""

from collections.abc import AsyncIterator, Sequence

from fanno_core.store.ledger import FileRef
from tasks.instructions import AUGMENT, augment
from tasks.phase import Finished
from tasks.run import Refs, Run, Shards


async def think_different(run: Run, seeds: Shards, windows: Sequence[FileRef]) -> Shards:
    """Further instructions, until there are more than `augment.limit` in all or documents run out."""
    if not (run.settings.augment.iterate and windows):
        return Shards(())
    return await run.do_all(AUGMENT.name, _windows(run, seeds, windows), len(windows))


async def _windows(run: Run, seeds: Shards, windows: Sequence[FileRef]) -> AsyncIterator[Finished]:
    pool = seeds
    for iteration, window in enumerate(windows, 1):
        if pool.rows > run.settings.augment.limit:
            break
        inputs: dict[str, Refs] = {
            "documents": (window,),
            "pool": pool,
            "vectors": pool.table("vectors"),
            "bandit": pool.table("bandit")[-1:],
        }
        job = run.job(AUGMENT, inputs, {"iteration": iteration}, f"window {iteration}")
        step = await run.submit(augment, job)
        pool += Shards((step.entry,))
        yield step
