"""`fanno sample`: a few rows of a run, kept or rejected, spread over what they are of."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from fanno_core.dataset.made import Made
from fanno_core.errors import RunStops
from fanno_core.lineage.shelves import Shelves
from fanno_core.store.contracts import Example, Rejection

AUGMENTED = "augmented"
"""What stands for the task type of rows that were asked for without one."""

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Sampled:
    """One row. Rejected ones have phase, reason, detail and text, the others instruction, input and output."""

    id: str
    kept: bool
    source: str
    document_id: str = ""
    task_type: str = ""
    form: str = ""
    iteration: int = 0
    instruction: str = ""
    input: str = ""
    output: str = ""
    phase: str = ""
    reason: str = ""
    detail: str = ""
    text: str = ""


def sample_rows(made: Made, count: int, seed: int, task_type: str = "") -> list[Sampled]:
    """Rows of the data set, task types and iterations in turns; the same for the same seed.

    Args:
        made: the run.
        count: most rows.
        seed: of the choice.
        task_type: only rows of this task type; `augmented` has those without one. Empty: all.

    Raises:
        RunStops: there is no row of that task type.
        ShardDamaged: a shard is missing or damaged.
    """
    shelves = Shelves(made)
    refs = shelves.kept("publish")
    kinds = [
        (row["id"], row["task_type"] or AUGMENTED, row["iteration"])
        for table in shelves.column(refs, "id", "task_type", "iteration")
        for row in table.to_pylist()
    ]
    _require(task_type, {kind for _, kind, _ in kinds}, "task type")
    groups = _grouped((name, (kind, window)) for name, kind, window in kinds if task_type in ("", kind))
    chosen = _in_turns(groups, count, seed)
    found = {row.id: row for row in shelves.rows(refs, Example, "id", chosen)}
    return [_kept(found[name]) for name in chosen]


def sample_rejected(made: Made, count: int, seed: int, reason: str = "") -> list[Sampled]:
    """Rejected rows and documents, reasons in turns; the same for the same seed.

    Args:
        made: the run.
        count: most rows.
        seed: of the choice.
        reason: only rows that were rejected for this reason; empty: all.

    Raises:
        RunStops: nothing was rejected for that reason.
        ShardDamaged: a shard is missing or damaged.
    """
    shelves = Shelves(made)
    refs = [ref for phase in made.entries for ref in shelves.rejected(phase)]
    kinds = [
        (row["id"], row["phase"], row["reason"])
        for table in shelves.column(refs, "id", "phase", "reason")
        for row in table.to_pylist()
    ]
    _require(reason, {why for _, _, why in kinds}, "reason")
    groups = _grouped((key, key[1:]) for key in kinds if reason in ("", key[2]))
    chosen = _in_turns(groups, count, seed)
    rows = shelves.rows(refs, Rejection, "id", {name for name, _, _ in chosen})
    found = {(row.id, row.phase, row.reason): row for row in rows}
    return [_rejected(found[key]) for key in chosen]


def _grouped(pairs: Iterable[tuple[Key, tuple[object, ...]]]) -> Mapping[tuple[object, ...], list[Key]]:
    groups: defaultdict[tuple[object, ...], list[Key]] = defaultdict(list)
    for key, group in pairs:
        groups[group].append(key)
    return groups


def _in_turns(groups: Mapping[tuple[object, ...], list[Key]], count: int, seed: int) -> list[Key]:
    """One of each group in turn, groups and members in an order that the seed draws."""
    rng = random.Random(f"{seed}:sample")
    decks = [sorted(groups[name], key=repr) for name in sorted(groups, key=repr)]
    for deck in decks:
        rng.shuffle(deck)
    rng.shuffle(decks)
    return [key for _, key in zip(range(count), _dealt(decks), strict=False)]


def _dealt(decks: list[list[Key]]) -> Iterator[Key]:
    for turn in range(max(map(len, decks), default=0)):
        yield from (deck[turn] for deck in decks if turn < len(deck))


def _require(wanted: str, known: set[str], what: str) -> None:
    if wanted and wanted not in known:
        listed = ", ".join(sorted(known)) or "none at all"
        shown = wanted if re.fullmatch(r"[\w-]{1,64}", wanted) else "that"
        raise RunStops(f"no row of this run has the {what} {shown}: there are {listed}")


def _kept(row: Example) -> Sampled:
    return Sampled(
        id=row.id,
        kept=True,
        source=row.source,
        document_id=row.document_id,
        task_type=row.task_type or AUGMENTED,
        form=row.form,
        iteration=row.iteration,
        instruction=row.instruction,
        input=row.input,
        output=row.output,
        phase="publish",
    )


def _rejected(row: Rejection) -> Sampled:
    return Sampled(
        id=row.id,
        kept=False,
        source=row.source,
        document_id=row.document_id,
        phase=row.phase,
        reason=row.reason,
        detail=row.detail,
        text=row.text,
    )
