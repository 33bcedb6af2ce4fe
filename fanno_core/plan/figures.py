"""What a plan says: rows, calls and tokens of each phase, and what they rest on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fanno_core.dataset.record import MAY_BE_EMPTY
from fanno_core.outcome import Usage


@dataclass(frozen=True, slots=True)
class PhaseEstimate:
    """A phase of a run that has not been started, under its name in `run.json`."""

    name: str
    rows_in: int
    rows_kept: int
    usage: Usage = field(default_factory=Usage)

    def __add__(self, other: PhaseEstimate) -> PhaseEstimate:
        return PhaseEstimate(
            self.name, self.rows_in + other.rows_in, self.rows_kept + other.rows_kept, self.usage + other.usage
        )


@dataclass(frozen=True)
class Plan:
    """What a run is expected to do and to spend. Tokens that a server has in its prefix cache are counted in full.

    Attributes:
        phases: in the order of the flow, without those that neither ask nor drop.
        teacher: who will be asked.
        read: share of the corpus' bytes that was read and scaled up, in (0, 1].
        asked: what the plan itself asked to find out.
        assumed: what was taken for granted instead, by name; empty where the teacher was asked.
    """

    phases: tuple[PhaseEstimate, ...]
    teacher: str
    read: float
    asked: Usage
    assumed: Mapping[str, float]

    @property
    def total(self) -> Usage:
        """Calls and tokens of all phases."""
        return sum((phase.usage for phase in self.phases), Usage())

    @property
    def ends_at(self) -> str:
        """The phase after which nothing of the sample is left, so that the run may stop there; or empty."""
        ends = (p.name for p in self.phases if not p.rows_kept and p.name not in MAY_BE_EMPTY)
        return next(ends, "")

    def hours(self, tokens_per_second: float) -> float:
        """How long the teacher takes at that rate of prompt and completion tokens together, > 0."""
        return (self.total.prompt_tokens + self.total.completion_tokens) / tokens_per_second / 3600
