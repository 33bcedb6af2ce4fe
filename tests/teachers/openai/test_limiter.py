from __future__ import annotations

from dataclasses import dataclass

import pytest

from fanno_core.teachers.openai.limiter import FIRST_WINDOW, Limiter


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def windowful(limiter: Limiter, clock: Clock, seconds: float = 0.1, kind: str = "p") -> None:
    """Answers to as many requests as the window holds, all sent together."""
    started, count = clock.now, limiter.window
    clock.now += seconds
    for _ in range(count):
        limiter.succeeded(kind, started, 1, count)


def test_it_starts_carefully_doubles_and_stays_below_the_setting(clock: Clock) -> None:
    limiter = Limiter(200, clock)
    windows = [limiter.window]
    for _ in range(3):
        windowful(limiter, clock)
        windows.append(limiter.window)
    assert windows == [FIRST_WINDOW, 2 * FIRST_WINDOW, 200, 200]
    assert Limiter(5, clock).window == 5


def test_a_burst_of_refusals_halves_once_and_a_later_one_again(clock: Clock) -> None:
    limiter = Limiter(64, clock)
    clock.now = 1.0
    for _ in range(50):
        limiter.overloaded(started=0.5)
    assert limiter.window == 32
    clock.now = 2.0
    limiter.overloaded(started=1.5)
    assert limiter.window == 16


def test_after_trouble_it_grows_by_one_a_windowful(clock: Clock) -> None:
    limiter = Limiter(64, clock)
    limiter.overloaded(started=0.0)
    for grown in range(1, 6):
        windowful(limiter, clock)
        assert limiter.window in {32 + grown - 1, 32 + grown}
    assert limiter.window < 64


def test_it_never_closes(clock: Clock) -> None:
    limiter = Limiter(4, clock)
    for _ in range(20):
        clock.now += 1
        limiter.overloaded(started=clock.now - 0.1)
    assert limiter.window == 1


def test_a_window_that_is_not_used_does_not_grow(clock: Clock) -> None:
    limiter = Limiter(256, clock)
    for _ in range(100):
        limiter.succeeded("p", clock.now, 1, in_flight=3)
    assert limiter.window == FIRST_WINDOW


def test_answers_that_take_far_longer_than_usual_shrink_it_gently(clock: Clock) -> None:
    limiter = Limiter(64, clock)
    for _ in range(3):
        windowful(limiter, clock, 0.1)
    windowful(limiter, clock, 0.5)
    assert limiter.window == 64
    for _ in range(3):
        windowful(limiter, clock, 5.0)
    assert 32 < limiter.window < 64


def test_another_kind_of_request_has_a_pace_of_its_own(clock: Clock) -> None:
    limiter = Limiter(64, clock)
    windowful(limiter, clock, 0.1, "verdict")
    windowful(limiter, clock, 5.0, "response")
    assert limiter.window == 64


def test_a_queue_at_the_server_stops_growth_and_a_long_one_shrinks(clock: Clock) -> None:
    limiter = Limiter(256, clock)
    limiter.queued(waiting=20)
    windowful(limiter, clock)
    assert limiter.window == FIRST_WINDOW
    clock.now += 1
    limiter.queued(waiting=60)
    assert limiter.window == int(0.9 * FIRST_WINDOW)
    limiter.queued(waiting=0)
    windowful(limiter, clock)
    assert limiter.window > int(0.9 * FIRST_WINDOW)


def test_with_a_known_queue_slow_answers_are_no_trouble(clock: Clock) -> None:
    limiter = Limiter(64, clock)
    for seconds in (0.1, 0.1, 4.0, 4.0):
        limiter.queued(waiting=0)
        windowful(limiter, clock, seconds)
    assert limiter.window == 64
