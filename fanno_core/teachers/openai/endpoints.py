"""Which server a request goes to: always the same for one document, unless that one is busy, resting or down."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from yarl import URL

# Of its fair share of the window: what one server may have under way while another has room.
MOST_OF_SHARE = 1.5
# Requests that are never too many for one server: a small window's chance imbalance must not cost the prefix cache.
LEAST_SHARE = 16.0
# Faults in a row, with no answer between them, after which a server is taken to be down.
FAULTS_UNTIL_DOWN = 5


@dataclass(slots=True, eq=False)
class Endpoint:
    """One server, and how it is doing.

    Attributes:
        url: where its API begins, such as http://127.0.0.1:8000/v1.
        is_vllm: whether it is vLLM, which takes more options and tells how long its queue is.
        in_flight: requests under way to it.
        is_down: whether it was found not to answer.
        faults: how often it failed since it last answered.
        relapses: how often it was down since it last answered.
        rests_until: when it may be asked again, by the clock; it said so itself.
        without: optional parts of a request that it refuses.
    """

    url: URL
    is_vllm: bool = False
    in_flight: int = 0
    is_down: bool = False
    rests_until: float = float("-inf")
    faults: int = 0
    relapses: int = 0
    without: set[str] = field(default_factory=set)

    @property
    def shown(self) -> str:
        """Its address as messages show it: no user, password or query."""
        return str(self.url.with_user(None).with_query(None))

    @property
    def is_on_trial(self) -> bool:
        """Whether it was down and has answered nothing since: it gets one request until it does."""
        return self.relapses > 0 and not self.is_down

    def answered(self) -> None:
        """It is well."""
        self.faults = self.relapses = 0
        self.is_down = False

    def failed(self, *, unreachable: bool = False) -> bool:
        """It gave no usable answer; whether it is found to be down by that."""
        self.faults += 1
        if self.is_down or not (unreachable or self.is_on_trial or self.faults >= FAULTS_UNTIL_DOWN):
            return False
        self.is_down = True
        self.relapses += 1
        return True


class Endpoints:
    """All servers of a teacher. Not to be shared between threads.

    Args:
        members: at least one.
        clock: seconds from any fixed moment.
    """

    def __init__(self, members: Sequence[Endpoint], clock: Callable[[], float] = time.monotonic) -> None:
        self.members = tuple(members)
        self._clock = clock

    def choose(self, document: str, window: int) -> Endpoint | None:
        """The server for a request about this document; None where every one rests, is down or on trial.

        Args:
            document: id of the document.
            window: requests that may be under way to all servers together.
        """
        now = self._clock()
        awake = [member for member in self.members if member.rests_until <= now and _is_open(member)]
        if len(awake) < 2:
            return awake[0] if awake else None
        most = max(LEAST_SHARE, MOST_OF_SHARE * window / len(awake))
        ranked = sorted(awake, key=lambda member: _weight(member, document))
        return next((member for member in ranked if member.in_flight < most), ranked[0])

    def wakes_in(self) -> float | None:
        """Seconds until the first resting server may be asked again; None where none rests."""
        now = self._clock()
        resting = [member.rests_until for member in self.members if not member.is_down and member.rests_until > now]
        return min(resting) - now if resting else None

    @property
    def all_down(self) -> bool:
        """Whether no server is left."""
        return all(member.is_down for member in self.members)

    def __str__(self) -> str:
        return ", ".join(member.shown for member in self.members)


def _is_open(member: Endpoint) -> bool:
    return not member.is_down and not (member.is_on_trial and member.in_flight)


def _weight(member: Endpoint, document: str) -> bytes:
    """Rendezvous hashing: each document has an order of servers of its own, whichever servers come or go."""
    return hashlib.blake2b(f"{member.url}\0{document}".encode("utf-8", "replace"), digest_size=8).digest()
