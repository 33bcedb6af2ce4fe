"""Every reason code of a rejected row, and what it means."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib import resources

from deployments.docs.table import code, table

INTRODUCTION = """# Reason codes

A row that is not kept stands in `rejected/` with its phase, one of these codes, and what was measured.
`fanno sample --out OUT --reason CODE` shows some, `fanno explain ROW_ID --out OUT` how one came about.
"""


def reasons() -> Mapping[str, Mapping[str, str]]:
    """By phase: each of its reason codes, with its meaning."""
    text = resources.files(__package__).joinpath("reasons.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def page() -> str:
    """The page of reason codes, phase by phase."""
    sections = (
        f"## {phase.replace('_', ' and ')}\n\n{table(('code', 'the row was rejected since'), _rows(codes))}"
        for phase, codes in reasons().items()
    )
    return "\n\n".join((INTRODUCTION, *sections)) + "\n"


def _rows(codes: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(code(name), meaning) for name, meaning in codes.items()]
