"""Versions of a data set as nights leave them, without the nights."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

from fanno_core.dataset.card import Provenance
from fanno_core.dataset.manifest import Version, read_state
from fanno_core.dataset.versions import NewVersion, write_version
from fanno_core.outcome import Usage
from fanno_core.refresh.state import State
from fanno_core.settings import Publish, Settings
from fanno_core.store.carried import carry
from fanno_core.store.contracts import Example, Rejection, SeedState
from fanno_core.store.ledger import Entry, Store
from fanno_core.teachers.protocol import Identity

PROVENANCE = Provenance("transformers/model@1", "Apache-2.0", "encoder@2", "direct", 42, ("en",), [])


def rows(numbers: Collection[int], output: str = "") -> list[Example]:
    """Rows with ids as the flow gives them."""
    made = ((), "think_different@0", "response_direct@0", "direct", (), "teacher", "greedy", "greedy", 0, 0)
    return [
        Example(
            sha256(str(n).encode()).hexdigest()[:16], f"Explain bee {n}.", "" if n % 2 else "A bee.",
            output or f"Answer {n}.", f"d{n // 5}", "bees.txt", "", "d0", 0, 1, "multi-step", "commonsense",
            "imperative", *made, 0.1, 0.1, 0.9, 0.4, 3,
        )
        for n in sorted(numbers)
    ]  # fmt: skip


def ids(numbers: Collection[int]) -> list[str]:
    return [row.id for row in rows(numbers)]


def night(
    out: Path,
    new: Sequence[Example],
    gone: Collection[str] = (),
    parent: int = 0,
    reasons: tuple[str, ...] = (),
    measures: Mapping[str, Any] | None = None,
) -> Version:
    """The version after its parent, with these rows added and those gone."""
    store = Store(out)
    state = read_state(out, parent) if parent else State()
    rejected = [Rejection(row.id, "responses", "empty", document_id=row.document_id) for row in new[:2]]
    tables = {
        "examples": carry(store, "examples", state["examples"], Example, gone, new),
        "bandit": carry(store, "bandit", state["bandit"], SeedState, gone, [SeedState(r.id, 1, 0.5, 3) for r in new]),
        "rejected.responses.empty": carry(
            store, "rejected.responses.empty", state["rejected.responses.empty"], Rejection, gone, rejected
        ),
    }
    state = state.with_tables(tables)
    count, lost = (sum(ref.rows for ref in tables[name]) for name in ("examples", "rejected.responses.empty"))
    key = sha256("".join(ref.sha256 for ref in state.files).encode()).hexdigest()[:24]
    entry = Entry(
        "responses", key, count + lost, count + lost, tables["examples"], tables["rejected.responses.empty"], {},
        {"empty": lost} if lost else {},
    )  # fmt: skip
    return write_version(
        out, NewVersion(state, [entry], _record(entry, measures), PROVENANCE, Publish(), parent, reasons)
    )


def _record(entry: Entry, measures: Mapping[str, Any] | None) -> dict[str, Any]:
    phase = {
        "name": "responses", "rows_in": entry.rows_in, "candidates": entry.candidates, "rows_kept": entry.rows_kept,
        "rejected": dict(entry.reasons), "teacher_calls": 0, "prompt_tokens": 0, "completion_tokens": 0,
        "cached_tokens": 0, "prompts": {"response_direct": asdict(Usage())}, "tasks": 1, "tasks_cached": 0,
        "seconds": 0.5,
    }  # fmt: skip
    return {
        "phases": [phase],
        "settings": Settings().model_dump(mode="json"),
        "teacher": "teacher",
        "identity": asdict(Identity("teacher", "model", "1", "")),
        "encoder": "encoder@2",
        "versions": {},
        "refresh": {"measures": dict(measures or {})},
    }
