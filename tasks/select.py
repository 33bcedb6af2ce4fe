"""Selectors as cached tasks: scores shard by shard, then one task that chooses among all rows."""

from __future__ import annotations

from functools import cache, partial
from typing import Any

from fanno_core.errors import ContractBroken
from fanno_core.methods.rows import dropped_row
from fanno_core.outcome import Outcome
from fanno_core.selection.contract import Chosen, Keep, Rank, Score, Selector, keep_of, without_smallest
from fanno_core.selection.table import selector
from fanno_core.settings import Settings
from fanno_core.store.contracts import Example
from fanno_core.tools import Options, options_of
from tasks.phase import Job, Phase, Step, phase_task
from tasks.run import Run, Shards
from tasks.tools import told_options, tools_of

SEED = ("run.seed",)


def chosen_by(settings: Settings) -> list[tuple[Selector[Any], Keep]]:
    """The selectors of a run in their order, and how much each of them keeps.

    Raises:
        BadSettings: one does not exist, or an option or what is to be kept is refused.
    """
    keeps = [*settings.select.keep, *[""] * (len(settings.select.by) - len(settings.select.keep))]
    found = []
    for name, keep in zip(settings.select.by, keeps, strict=True):
        how = selector(name)
        amount = keep_of(keep or how.keep)
        if how.score is None:
            without_smallest(name, amount)
        how.check(_options(how, settings), amount)
        found.append((how, amount))
    return found


async def select(run: Run, rows: Shards) -> Shards:
    """The rows that are left after every selector of the run, one after the other; all where there is none.

    Raises:
        BadSettings: from `chosen_by`.
        BadCorpus: nothing is left.
    """
    for how, keep in chosen_by(run.settings):
        scores = await run.map(scoring(how.name), rows=rows) if how.score else Shards(())
        job = run.job(choosing(how.name).phase, {"rows": rows, "scores": scores}, {"keep": str(keep)})
        rows = await run.do(choosing(how.name), [job])
    return rows


@cache
def scoring(name: str) -> Step:
    """The phase in which a selector scores the rows of a shard."""
    how = selector(name)
    asks = how.asks or bool(how.prompts)
    told = partial(_told, how)
    phase = Phase(f"{name}-score", how.version, Score, SEED, how.prompts, asks_teacher=asks, options=told)

    @phase_task(phase)
    async def score(job: Job) -> Outcome[Score]:
        """Scores each row of a shard; a score that cannot be told is one, with its reason."""
        if how.score is None:
            raise ContractBroken(f"selector {name} gives no scores")
        rows = job.rows("rows", Example)
        return Outcome(await how.score(rows, tools_of(job), _options(how, job.settings)), [], len(rows))

    return score


@cache
def choosing(name: str) -> Step:
    """The phase in which a selector chooses among all rows; the extra table `ranks` tells in which order."""
    how = selector(name)
    told = partial(_told, how)
    phase = Phase(f"{name}-select", how.version, Example, SEED, encodes=how.encodes, options=told)

    @phase_task(phase)
    async def choose(job: Job) -> Outcome[Example]:
        """Chooses among all rows."""
        rows = sorted(job.rows("rows", Example), key=lambda row: row.id)
        scores = sorted(job.rows("scores", Score), key=lambda score: score.id)
        keep = keep_of(job.part["keep"])
        chosen = how.choose(rows, scores, keep, tools_of(job), _options(how, job.settings))
        return _outcome(rows, scores, chosen, phase.name)

    return choose


def _outcome(rows: list[Example], scores: list[Score], chosen: Chosen, phase: str) -> Outcome[Example]:
    by_id = {score.id: score.score for score in scores}
    ranks = [Rank(rows[place].id, rank, by_id.get(rows[place].id, 0.0)) for rank, place in enumerate(chosen.places)]
    dropped = [dropped_row(rows[place], phase, *why) for place, why in sorted(chosen.others.items())]
    return Outcome([rows[place] for place in chosen.places], dropped, len(rows)).with_extra("ranks", Rank, ranks)


def _options(how: Selector[Any], settings: Settings) -> Options:
    kind: type[Options] = how.options
    return options_of(kind, how.name, settings.select.options.get(how.name, {}))


def _told(how: Selector[Any], settings: Settings) -> dict[str, Any]:
    # What other selectors are told is no reason to score anew.
    return told_options(_options(how, settings))
