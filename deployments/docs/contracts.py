"""Every contract: the columns of its tables with type and meaning."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import is_dataclass
from typing import Any

from deployments.docs.phases import every_phase
from deployments.docs.table import code, table
from fanno_core.store import contracts
from fanno_core.store.contracts import Example, Rejection, key_of, schema_of

INTRODUCTION = """# Contracts

What the Parquet files of a run hold. No column is ever null; a number that is not known is -1, a text that is not there
is empty. The key identifies a row: no two rows of a table share it.
"""
PLACES = {Example: "`dataset/train-*.parquet`", Rejection: "`rejected/`"}
"""Where the tables of a contract lie that a reader wants first."""


def every_contract() -> list[Any]:
    """The contracts, in the order of their file."""
    return [found for found in vars(contracts).values() if isinstance(found, type) and is_dataclass(found)]


def page() -> str:
    """The page of contracts: first what is published, then what stands between the phases."""
    ordered = sorted(every_contract(), key=lambda contract: contract not in PLACES)
    made_by = defaultdict(list)
    for phase in every_phase():
        made_by[phase.contract].append(code(phase.name))
    return "\n\n".join((INTRODUCTION, *(_contract(one, made_by[one]) for one in ordered))) + "\n"


def _contract(contract: Any, made_by: list[str]) -> str:
    rows = [
        (code(column.name), code(str(column.type)), column.metadata[b"meaning"].decode())
        for column in schema_of(contract)
    ]
    facts = [f"Key: `{key_of(contract)}`."]
    if contract in PLACES:
        facts.append(f"In {PLACES[contract]}.")
    if made_by:
        facts.append(f"Handed on by {', '.join(made_by)}.")
    told = (contract.__doc__ or "").strip().partition("\n")[0]
    return f"## {contract.__name__}\n\n{told} {' '.join(facts)}\n\n{table(('column', 'type', 'meaning'), rows)}"
