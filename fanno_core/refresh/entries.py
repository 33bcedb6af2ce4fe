"""A version's work as the ledger tells it: one entry a phase, as if one run had made all of it.

So whatever reads a run (report, explain, export, verify) reads a version. Counts are those of the rows that stand now:
what was withdrawn is in none of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from fanno_core.dataset.record import PhaseRecord
from fanno_core.outcome import Usage
from fanno_core.store.fingerprint import fingerprint
from fanno_core.store.ledger import Entry, FileRef

Refs = tuple[FileRef, ...]
REJECTED = "rejected."
"""What the tables of rejections are called: `rejected.PHASE.REASON`."""
SEEDED, PLACED = "seeded", "placed"
NOVELTY, AUGMENT = "instructions.novelty", "instructions.augment"
QUESTIONS = {NOVELTY: "questions.novelty", AUGMENT: "questions.augment"}
"""The table with the vectors of each table of instructions."""
ORDER = (
    "ingest", "rules", "duplicates", "privacy", "verdicts", "encode", "communities", "queue",
    "seeds", "novelty", "augment", "responses", "decontaminate",
)  # fmt: skip
# What stands behind a phase: the number of rows that it kept is that of the first of these, or of their candidates.
KEPT: Mapping[str, tuple[str, ...]] = {
    "rules": ("ruled",),
    "verdicts": ("screened",),
    "encode": ("vectors",),
    "communities": (SEEDED, PLACED),
    "queue": (SEEDED, PLACED),
    "novelty": (NOVELTY,),
    "augment": (AUGMENT,),
    "responses": ("examples",),
}
# What is left of the rows of phases that have no table of their own.
LEFT: Mapping[str, tuple[str, ...]] = {
    "ingest": ("unruled", "ruled"),
    "duplicates": ("masked",),
    "privacy": ("masked",),
}
LABELS = {SEEDED: "seeds", PLACED: "window"}


@dataclass(frozen=True, slots=True)
class Work:
    """What a night spent on a phase."""

    asked: Mapping[str, Usage] = field(default_factory=dict)
    tasks: int = 0
    tasks_cached: int = 0
    seconds: float = 0.0

    def __add__(self, other: Work) -> Work:
        asked = {
            prompt: self.asked.get(prompt, Usage()) + other.asked.get(prompt, Usage())
            for prompt in (*self.asked, *other.asked)
        }
        tasks, cached = self.tasks + other.tasks, self.tasks_cached + other.tasks_cached
        return Work(asked, tasks, cached, self.seconds + other.seconds)


def rejections_of(phase: str, reason: str) -> str:
    """The name of the table of one phase's rejections for one reason."""
    return f"{REJECTED}{phase}.{reason}"


def rows_in(refs: Sequence[FileRef]) -> int:
    """How many rows these shards hold."""
    return sum(ref.rows for ref in refs)


def entries_of(tables: Mapping[str, Refs], decontaminated: bool) -> list[Entry]:
    """The entries of each phase but publishing, in the order of the flow.

    An entry names one shard of vectors: phases with more of them have further entries, without rows.

    Args:
        tables: table to shards, see `State`.
        decontaminated: whether rows were held against benchmarks.
    """
    phases = [name for name in ORDER if decontaminated or name != "decontaminate"]
    return [entry for name in phases for entry in _entries(name, tables)]


def records_of(entries: Sequence[Entry], spent: Mapping[str, Work]) -> list[PhaseRecord]:
    """The record of each phase: its rows in the version, and what the night spent on it."""
    first = {entry.phase: entry for entry in reversed(entries)}
    return [_record(first[name], spent.get(name, Work())) for name in dict.fromkeys(e.phase for e in entries)]


def _entries(phase: str, tables: Mapping[str, Refs]) -> Iterator[Entry]:
    kept = tuple(_kept(phase, tables))
    rejected, reasons = _rejected(phase, tables)
    candidates = _candidates(phase, tables)
    extras = {"bandit": tables["bandit"][0]} if phase == _last_asking(tables) and tables.get("bandit") else {}
    files = [[ref.label, ref.sha256] for ref in (*kept, *rejected, *extras.values())]
    key = fingerprint(phase, 0, {"version": files, "candidates": candidates})
    yield Entry(phase, key, candidates, candidates, kept, rejected, extras, reasons)
    for ref in tables.get(f"questions.{phase}", ()):
        yield Entry(phase, fingerprint(phase, 0, {"vectors": ref.sha256}), 0, 0, (), (), {"vectors": ref})


def _last_asking(tables: Mapping[str, Refs]) -> str:
    """The phase whose entry has the bandit's states, all in one shard."""
    return "augment" if tables.get(AUGMENT) else "novelty"


def _kept(phase: str, tables: Mapping[str, Refs]) -> Iterator[FileRef]:
    """The shards of a phase, relabelled where the label says what they are."""
    for name in KEPT.get(phase, LEFT.get(phase, ())):
        for ref in tables.get(name, ()):
            yield replace(ref, label=f"{LABELS[name]}-{ref.label}") if name in LABELS else ref


def _rejected(phase: str, tables: Mapping[str, Refs]) -> tuple[Refs, dict[str, int]]:
    start = f"{REJECTED}{phase}."
    found = {name.removeprefix(start): refs for name, refs in sorted(tables.items()) if name.startswith(start)}
    counts = {reason: rows_in(refs) for reason, refs in found.items()}
    return tuple(ref for refs in found.values() for ref in refs), {name: n for name, n in counts.items() if n}


def _kept_rows(phase: str, tables: Mapping[str, Refs]) -> int:
    """How many rows a phase kept: those of its table, or those that the next phase with one has had to look at."""
    if phase in KEPT:
        later = ("decontaminate",) if phase == "responses" else ()
        own = sum(rows_in(tables.get(name, ())) for name in KEPT[phase])
        return own + sum(sum(_rejected(name, tables)[1].values()) for name in later)
    if phase == "decontaminate":
        return rows_in(tables.get("examples", ()))
    if phase == "seeds":
        return _candidates("novelty", tables)
    if phase == "duplicates":
        return rows_in(tables.get("ruled", ())) - sum(_rejected("duplicates", tables)[1].values())
    if phase == "privacy":
        return rows_in(tables.get("masked", ()))
    return _candidates("rules", tables)


def _candidates(phase: str, tables: Mapping[str, Refs]) -> int:
    return _kept_rows(phase, tables) + sum(_rejected(phase, tables)[1].values())


def _record(entry: Entry, work: Work) -> PhaseRecord:
    spent = sum(work.asked.values(), Usage())
    return PhaseRecord(
        name=entry.phase,
        rows_in=entry.rows_in,
        candidates=entry.candidates,
        rows_kept=entry.candidates - sum(entry.reasons.values()),
        rejected=dict(entry.reasons),
        teacher_calls=spent.calls,
        prompt_tokens=spent.prompt_tokens,
        completion_tokens=spent.completion_tokens,
        cached_tokens=spent.cached_tokens,
        prompts=dict(work.asked),
        tasks=work.tasks,
        tasks_cached=work.tasks_cached,
        seconds=round(work.seconds, 3),
    )
