"""A service under guard: started, watched, started again when it dies, and stopped with all that it started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

from deployments.pool import guard
from fanno_core.errors import RunStops

# What a service and all that it started get to end by themselves; then they are killed.
GRACE_S = 6.0
TICK_S = 0.25
PROBE_EVERY_S = 5.0
# A service that lives but has not answered for so long is started again.
SILENT_S = 120.0
# A service that dies sooner than this after it first answered has died quickly.
QUICK_S = 60.0
QUICK_DEATHS = 5
LONGEST_WAIT_S = 60.0

Say = Callable[[str], None]


@dataclass(frozen=True)
class Service:
    """What is run.

    `answers` tells whether it is ready to work; without it, running is all that can be asked. Without `log` it
    writes to the terminal.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path
    log: Path | None = None
    answers: Callable[[], bool] | None = None
    start_limit_s: float = 60.0

    @property
    def look(self) -> str:
        """Where a person looks when it fails."""
        return f"; its log is {self.log}" if self.log else ""


@dataclass
class Kept:
    """A service that is kept alive.

    A service that dies is started again after a second, then two, four and so on; `given_up` is set when it has died
    quickly too often. Its guard inherits `lock`, so that it is held until the last guard has cleaned up.
    """

    service: Service
    lock: int
    say: Say
    given_up: bool = False
    _process: subprocess.Popen[bytes] | None = None
    _begun: float = 0.0
    _answered: float | None = None
    _seen: float = 0.0
    _probed: float = 0.0
    _quick_deaths: int = 0
    _again: float = 0.0

    def start(self) -> None:
        """Starts the service."""
        with self.service.log.open("ab") if self.service.log else nullcontext() as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter
                [sys.executable, "-P", guard.__file__, str(GRACE_S), *self.service.command],
                env=dict(self.service.environment),
                cwd=self.service.folder,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                start_new_session=True,
                pass_fds=(self.lock,),
            )
        self._begun = self._seen = time.monotonic()
        self._answered = None

    def is_ready(self) -> bool:
        """Whether it has answered since its start.

        Raises:
            RunStops: it has ended, or had its time.
        """
        code = self._process.poll() if self._process else None
        if code is not None:
            raise RunStops(f"{self.service.name} ended with exit code {code} before it was ready{self.service.look}")
        self._probe()
        if self._is_silent():
            limit_s = self.service.start_limit_s
            raise RunStops(f"{self.service.name} was not ready after {limit_s:.0f} s{self.service.look}")
        return self._answered is not None

    def tick(self) -> None:
        """Looks after the service, once; to be called again and again."""
        if self.given_up:
            return
        if self._process is None:
            if time.monotonic() >= self._again:
                self.start()
        elif (code := self._process.poll()) is not None:
            self._died(f"ended with exit code {code}")
        else:
            self._probe()
            if self._is_silent():
                self.close()
                self._died("stopped answering")

    def close(self) -> None:
        """Has the service stopped; `join` waits for it."""
        if self._process and self._process.stdin:
            self._process.stdin.close()  # which the guard takes as the order

    def join(self) -> None:
        """Waits until the service has ended with all that it started."""
        if not self._process:
            return
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(GRACE_S + guard.LAST_S + 1)
        # Had the guard itself been killed, what it guarded is still in its group.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process = None

    def _probe(self) -> None:
        now = time.monotonic()
        if now < self._probed + (TICK_S if self._answered is None else PROBE_EVERY_S):
            return
        self._probed = now
        if self.service.answers is None:
            self._answered = self._answered or now
            self._seen = now
        elif self.service.answers():
            self._seen = now
            if self._answered is None:
                self._answered = now
                self.say(f"{self.service.name}: ready after {now - self._begun:.0f} s")

    def _is_silent(self) -> bool:
        limit_s = self.service.start_limit_s if self._answered is None else SILENT_S
        return time.monotonic() > self._seen + limit_s

    def _died(self, how: str) -> None:
        self.join()
        now = time.monotonic()
        quick = self._answered is None or now < self._answered + QUICK_S
        self._quick_deaths = self._quick_deaths + 1 if quick else 1
        if self._quick_deaths >= QUICK_DEATHS:
            self.given_up = True
            self.say(f"{self.service.name} {how}, the {QUICK_DEATHS}th time in a row; given up{self.service.look}")
            return
        wait_s = min(2.0 ** (self._quick_deaths - 1), LONGEST_WAIT_S)
        self._again = now + wait_s
        self.say(f"{self.service.name} {how}; starting it again in {wait_s:.0f} s{self.service.look}")


def stop_all(kept: Sequence[Kept]) -> None:
    """Stops these services at the same time, and waits for their end."""
    for one in kept:
        one.close()
    for one in kept:
        one.join()
