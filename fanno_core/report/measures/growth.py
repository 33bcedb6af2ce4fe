"""How rows change from the seeds through the windows of augmentation, and how the bandit chose."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise

from fanno_core.dataset.made import Made
from fanno_core.report.measures.distributions import DIGITS, count_edges, histogram_of, mean_of
from fanno_core.report.measures.verbs.count import count_verbs
from fanno_core.report.numbers import Bandit, BanditSeed, BanditStep, Iteration
from fanno_core.store.contracts import Example, Instruction, SeedState
from fanno_core.store.ledger import Store
from fanno_core.text import words_of

SEEDS_SHOWN = 20
UNKNOWN = -1.0
"""What rows hold where nobody judged, or where there was nothing to compare with."""


def iterations_of(rows: Sequence[Example]) -> tuple[Iteration, ...]:
    """The means of each iteration that has rows, in order."""
    grouped: defaultdict[int, list[Example]] = defaultdict(list)
    for row in rows:
        grouped[row.iteration].append(row)
    return tuple(_iteration(number, group) for number, group in sorted(grouped.items()))


def _iteration(number: int, rows: Sequence[Example]) -> Iteration:
    return Iteration(
        iteration=number,
        rows=len(rows),
        instruction_words=mean_of([len(words_of(row.instruction)) for row in rows]),
        output_tokens=mean_of([row.output_tokens for row in rows]),
        quality=_known_mean([row.answerable for row in rows]),
        complexity=mean_of([count_verbs(row.instruction) for row in rows]),
        similarity=_known_mean([row.similarity for row in rows]),
    )


def _known_mean(values: Sequence[float]) -> float | None:
    known = [value for value in values if value != UNKNOWN]
    return mean_of(known) if known else None


def bandit_of(made: Made) -> Bandit:
    """How the bandit chose, window after window, and what it knew at the end.

    Raises:
        ShardDamaged: a table of the bandit or of instructions is missing or damaged.
    """
    tables = _tables(made)
    final = tables[-1] if tables else []
    steps = [
        step for number, (before, after) in enumerate(pairwise(tables), 1) if (step := _step(number, before, after))
    ]
    edges = count_edges((state.shown for state in final), share=1)
    shown = histogram_of([state.shown for state in final], edges)
    return Bandit(tuple(steps), shown, _most_shown(final, _instructions(made)))


def _tables(made: Made) -> list[list[SeedState]]:
    """The states before the first window and after each."""
    entries = [entry for phase in ("novelty", "augment") for entry in made.entries.get(phase, ())]
    return [Store(made.out).read([entry.extras["bandit"]], SeedState) for entry in entries if "bandit" in entry.extras]


def _step(number: int, before: Sequence[SeedState], after: Sequence[SeedState]) -> BanditStep | None:
    """What a window showed and earned; None where it showed nothing. Both sums run over all windows so far."""
    shown = sum(state.shown for state in after) - sum(state.shown for state in before)
    if not shown:
        return None
    earned = math.fsum([state.reward for state in after] + [-state.reward for state in before])
    ever = sum(state.shown > 0 for state in after)
    return BanditStep(number, len(after), ever, round(earned / shown, DIGITS))


def _most_shown(states: Sequence[SeedState], instructions: Mapping[str, str]) -> tuple[BanditSeed, ...]:
    first = sorted((state for state in states if state.shown), key=lambda state: (-state.shown, state.seed_id))
    return tuple(
        BanditSeed(state.seed_id, instructions[state.seed_id], state.shown, round(state.reward / state.shown, DIGITS))
        for state in first[:SEEDS_SHOWN]
    )


def _instructions(made: Made) -> Mapping[str, str]:
    """Every kept instruction by its id: a seed's response may have been rejected, so it need be no row."""
    rows = [row for phase in ("novelty", "augment") for row in made.kept(phase, Instruction)]
    return {row.id: row.instruction for row in rows}
