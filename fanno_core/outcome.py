"""What a phase hands back: every candidate, either kept or rejected with a reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from fanno_core.errors import RowsLost
from fanno_core.store.contracts import Rejection


@dataclass(frozen=True, slots=True)
class Usage:
    """What a phase asked of the teacher. Answers taken from the journal cost nothing: they are `replayed`."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    replayed: int = 0

    @property
    def questions(self) -> int:
        """Questions that were put, whether the teacher or the journal answered."""
        return self.calls + self.replayed

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.calls + other.calls,
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.cached_tokens + other.cached_tokens,
            self.replayed + other.replayed,
        )


Row = TypeVar("Row")


@dataclass(frozen=True)
class Outcome(Generic[Row]):
    """Rows kept and rows rejected.

    `extras` are further tables that later work needs (name to contract and rows), such as vectors.
    """

    kept: Sequence[Row]
    rejected: Sequence[Rejection]
    candidates: int
    extras: Mapping[str, tuple[type, Sequence[Any]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.candidates != len(self.kept) + len(self.rejected):
            raise RowsLost(
                f"{self.candidates} candidates, but {len(self.kept)} kept and {len(self.rejected)} rejected: "
                "a phase lost or doubled rows; please report this."
            )

    @property
    def reasons(self) -> dict[str, int]:
        """How many rows were rejected for each reason."""
        return dict(sorted(Counter(r.reason for r in self.rejected).items()))

    def with_extra(self, name: str, contract: type[Any], rows: Sequence[Any]) -> Outcome[Row]:
        """The same outcome with one more table."""
        return replace(self, extras={**self.extras, name: (contract, rows)})
