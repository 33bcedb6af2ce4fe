"""How many requests may be under way: as many as the servers take without falling behind.

The window grows by one for every windowful of answers and shrinks by a share at trouble (additive increase,
multiplicative decrease); until the first trouble it grows by one for every answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

FIRST_WINDOW = 64
# Batching makes a busy server's answers several times slower and its throughput higher; only far beyond that is it
# a sign of a queue.
SLOW = 10.0
SMOOTHING = 0.1
# The usual pace of a kind of request follows slowly, as prompts get longer or shorter in the course of a run.
DRIFT = 0.001
WARM_UP = 20
# Of the window: requests that wait in the servers' own queues.
QUEUE_STOPS_GROWTH = 0.125
QUEUE_SHRINKS = 0.5
GENTLY = 0.9
QUEUE_KNOWN_S = 5.0


@dataclass(slots=True)
class _Pace:
    """Seconds a token that answers of one kind take: now, and when the servers were least busy."""

    now: float
    usual: float
    answers: int = 1


class Limiter:
    """The window, and what moves it. Not to be shared between threads.

    Args:
        most: the window never exceeds it; >= 1.
        clock: seconds from any fixed moment.
    """

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._size = float(min(most, FIRST_WINDOW))
        self._starting = True
        self._may_grow = True
        self._shrunk_at = self._queue_seen_at = float("-inf")
        self._paces: dict[str, _Pace] = {}

    @property
    def window(self) -> int:
        """Requests that may be under way at the same time; >= 1."""
        return int(self._size)

    def succeeded(self, kind: str, started: float, tokens: int, in_flight: int) -> None:
        """An answer came.

        Args:
            kind: requests of one kind take about the same time a token.
            started: when the request was sent, by the clock.
            tokens: how many tokens were written.
            in_flight: requests that were under way with it; a window that is not used does not grow.
        """
        if self._clock() - self._queue_seen_at > QUEUE_KNOWN_S:
            self._may_grow = True
            if self._is_slow(kind, (self._clock() - started) / max(1, tokens)):
                self._shrink(GENTLY, started)
                return
        if self._may_grow and 2 * in_flight >= self._size:
            self._size = min(self._most, self._size + (1 if self._starting else 1 / self._size))

    def overloaded(self, started: float) -> None:
        """A server turned a request away that was sent at `started`; of one burst only the first counts."""
        self._shrink(0.5, started)

    def queued(self, waiting: int) -> None:
        """So many requests wait in the servers' own queues, which tells more than the pace of answers."""
        now = self._clock()
        self._queue_seen_at = now
        self._may_grow = waiting <= QUEUE_STOPS_GROWTH * self._size
        if waiting > QUEUE_SHRINKS * self._size:
            self._shrink(GENTLY, now)

    def _shrink(self, share: float, started: float) -> None:
        self._starting = False
        if started > self._shrunk_at:  # otherwise it was sent under the larger window, and says nothing of this one
            self._size = max(1.0, self._size * share)
            self._shrunk_at = self._clock()

    def _is_slow(self, kind: str, seconds: float) -> bool:
        pace = self._paces.get(kind)
        if pace is None:
            self._paces[kind] = _Pace(seconds, seconds)
            return False
        pace.answers += 1
        pace.now += SMOOTHING * (seconds - pace.now)
        pace.usual += DRIFT * (pace.now - pace.usual)
        pace.usual = min(pace.usual, pace.now)
        return pace.answers > WARM_UP and pace.now > SLOW * pace.usual
