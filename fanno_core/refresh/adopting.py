"""A finished run as the first tables that a version carries."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fanno_core.dataset.made import Made
from fanno_core.refresh.contracts import Origin
from fanno_core.refresh.entries import AUGMENT, NOVELTY, PLACED, QUESTIONS, SEEDED, rejections_of
from fanno_core.store.contracts import Document, Instruction, Placed, Rejection, SeedState, Vector
from fanno_core.store.ledger import Store
from fanno_core.text import stable_id

SEEDS, WINDOW = "seeds", "window"
ANSWERING = ("responses", "decontaminate")
SEGMENT = re.compile(r"(^|, )segment [0-9]+$")


@dataclass(frozen=True)
class Adopted:
    """What a run left.

    Attributes:
        tables: table to rows; without those that only a version has (files, sketches, neighbours, members).
        states: the bandit's last ones.
        asked: ids of the documents that were asked for instructions.
        next_order: first free place at the end of the queue.
        next_iteration: number of the next window.
    """

    tables: Mapping[str, Sequence[Any]]
    states: Sequence[SeedState]
    asked: frozenset[str]
    next_order: int
    next_iteration: int


def adopt(made: Made) -> Adopted:
    """The tables of a finished run.

    Raises:
        ShardDamaged: a shard is missing or damaged.
    """
    placed = _queue(made)
    seeded = {row.id for label, rows in placed.items() if label.startswith(SEEDS) for row in rows}
    everyone = [row for rows in placed.values() for row in rows]
    ruled, doubled = _once(made.kept("rules", Document))
    tables: dict[str, Sequence[Any]] = {
        "unruled": _but(ruled, made.kept("ingest", Document)),
        "ruled": ruled,
        "masked": made.kept("privacy", Document),
        "screened": made.kept("verdicts", Document),
        "vectors": made.kept("encode", Vector),
        SEEDED: [row for row in everyone if row.id in seeded],
        PLACED: [row for row in everyone if row.id not in seeded],
        "examples": made.examples(),
    }
    for table, phase in ((NOVELTY, "novelty"), (AUGMENT, "augment")):
        tables[table] = made.kept(phase, Instruction)
        tables[QUESTIONS[table]] = made.extra(phase, "vectors", Vector)  # noqa: S610 - no Django here
    by_reason: dict[str, list[Rejection]] = defaultdict(list)
    for row in made.rejections():
        if row.phase == "duplicates" and row.id in doubled:
            continue  # the night's ingest, which looks at all sources together, rejects the copy already
        by_reason[rejections_of(row.phase, row.reason)].append(row)
    windows = len(made.entries.get("augment", ()))
    return Adopted(tables | by_reason, _states(made), _asked(windows, placed), len(everyone), windows + 1)


def _once(ruled: Sequence[Document]) -> tuple[list[Document], frozenset[str]]:
    """Each segment once, though several tasks may have read it; the one that `duplicates` kept. And who stood twice."""
    order = sorted(ruled, key=lambda row: (row.id, row.text, row.source, row.location), reverse=True)
    once = {row.id: row for row in order}
    counts = Counter(row.id for row in ruled)
    return [*once.values()], frozenset(name for name, count in counts.items() if count > 1)


def _but(others: Sequence[Document], rows: Sequence[Document]) -> list[Document]:
    """The rows that are not among others, each once."""
    ids = {row.id for row in others}
    return [*{row.id: row for row in rows if row.id not in ids}.values()]


def of_known_segments(origins: Sequence[Origin], known: frozenset[str]) -> list[Origin]:
    """The origins whose every segment the run has seen: others came after it read the corpus, and are new tomorrow."""
    return [origin for origin in origins if known.issuperset(origin.segments)]


def left_over(read: Iterable[Document], known: Iterable[Origin]) -> list[Origin]:
    """The documents of the segments that no known origin gives: as the run read them, which the corpus has no more.

    Their digest is not known. So the next night, which finds no row with it, withdraws them, or sees them changed.
    """
    standing = {name for origin in known for name in origin.segments}
    found: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for row in {row.id: row for row in read if row.id not in standing}.values():
        name = row.carried_id or SEGMENT.sub("", row.location)
        found[row.source, name, stable_id(row.carried_id, row.licence)].append(row.id)
    return [
        Origin(stable_id("adopted", file, name, labels), file, "", name, labels, tuple(segments))
        for (file, name, labels), segments in found.items()
    ]


def unanswered(adopted: Adopted) -> list[str]:
    """Ids of the instructions that have no response and were not rejected: `fanno forget` has taken theirs out."""
    asked = {row.id for table in (NOVELTY, AUGMENT) for row in adopted.tables[table]}
    done = {row.id for row in adopted.tables["examples"]}
    starts = tuple(rejections_of(phase, "") for phase in ANSWERING)
    done |= {row.id for name, rows in adopted.tables.items() if name.startswith(starts) for row in rows}
    return sorted(asked - done)


def _queue(made: Made) -> dict[str, list[Placed]]:
    """Label to documents, in the order of the queue: `seeds-00000`, `window-00001`, ..."""
    store = Store(made.out)
    refs = [ref for entry in made.entries.get("queue", ()) for ref in entry.kept]
    return {ref.label: store.read([ref], Placed) for ref in sorted(refs, key=lambda ref: ref.label)}


def _asked(done: int, placed: Mapping[str, Sequence[Placed]]) -> frozenset[str]:
    """Seeds and the windows before the limit of instructions was reached: a window has one entry."""
    windows = sorted(label for label in placed if label.startswith(WINDOW))
    asked = {*windows[:done], *(label for label in placed if label.startswith(SEEDS))}
    return frozenset(row.id for label in asked for row in placed[label])


def _states(made: Made) -> list[SeedState]:
    """The bandit's last states: each window hands on those of all seeds."""
    entries = [*made.entries.get("novelty", ()), *made.entries.get("augment", ())]
    return Store(made.out).read([entry.extras["bandit"] for entry in entries[-1:]], SeedState)
