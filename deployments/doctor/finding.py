"""One thing that was looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["works", "absent", "broken"]


@dataclass(frozen=True)
class Finding:
    """How one thing is.

    Attributes:
        name: what was looked at.
        state: `absent` is what is not installed, or not there.
        says: what was seen, on one line.
        do: what to do about it; empty where it works.
        needed: whether a run with the given settings needs it.
    """

    name: str
    state: State
    says: str
    do: str = ""
    needed: bool = True

    @property
    def stops_a_run(self) -> bool:
        """Whether a run with the given settings would fail of it."""
        return self.needed and self.state != "works"
