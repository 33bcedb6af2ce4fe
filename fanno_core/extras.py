"""How an optional package gets there: FANNO is on no index, so its extras are installed from its clone."""

from __future__ import annotations

APART = {"gpu"}
"""Extras that other ones do not fit beside: they and the models stand in an environment of their own."""


def how_to_install(extra: str) -> str:
    """The command that installs an extra, and where it is typed."""
    if extra in APART:
        return f"pip install -e '.[{extra},models]' in FANNO's clone, into an environment of its own"
    return f"pip install -e '.[{extra}]' in FANNO's clone"
