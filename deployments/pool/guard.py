"""A command that ends, with everything that it started, when the one who asked for it does.

`python guard.py GRACE_S COMMAND...` is run with a pipe as standard input, of which only the asker holds the other
end. The kernel closes it however the asker ends, so end-of-file here means: it is gone, or wants this to stop.
What the command started is found even where it made a session of its own, as flow runs of Prefect do: on Linux
orphans are handed to this process. It imports nothing but the standard library, because one stands beside each server.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

POLL_S = 0.2
# What is left of a command that died by itself gets at most so long to end.
ORPHANS_S = 2.0
# After SIGKILL, for processes that the kernel cannot end at once.
LAST_S = 3.0
PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h


def main(grace_s: float, command: list[str]) -> int:
    """Exit code of the command, as a shell would tell it; 0 where it was asked to stop."""
    asked: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _frame: asked.append(number))
    _adopt_orphans()
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603 - what the worker asked for
    code = None
    while code is None and not asked and not _asker_is_gone():
        code = _reap(child.pid)
    if code is None:
        _stop(child.pid, grace_s)
        return 0
    _end(descendants, min(grace_s, ORPHANS_S))
    return code


def _stop(command: int, grace_s: float) -> None:
    """Ends what the command started, lets it tell how that ended, then ends the command.

    In this order Prefect's worker reports the flow runs that it loses; the other way round they would stay Running.
    """
    _end(lambda: [pid for pid in descendants() if pid != command], grace_s / 2)
    told = time.monotonic() + grace_s / 6
    while command in descendants() and time.monotonic() < told:
        time.sleep(POLL_S / 4)
        _reap()
    _end(descendants, grace_s / 3)
    if not Path("/proc/self/stat").exists():
        os.killpg(0, signal.SIGKILL)  # no way here to tell who is below; this process ends with them


def _end(listed: Callable[[], list[int]], grace_s: float) -> None:
    """Asks processes to end, also those that join meanwhile, and kills those that have not after that time."""
    begin = time.monotonic()
    asked: set[int] = set()
    while (left := listed()) and time.monotonic() < begin + grace_s + LAST_S:
        if time.monotonic() < begin + grace_s:
            _signal(set(left) - asked, signal.SIGTERM)
            asked.update(left)
        else:
            _signal(left, signal.SIGKILL)
        time.sleep(POLL_S / 4)
        _reap()


def descendants() -> list[int]:
    """Every process below this one, without those that have ended."""
    children: dict[int, list[int]] = {}
    ended = set()
    for file in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, parent = file.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[:2]
            children.setdefault(int(parent), []).append(int(file.parent.name))
            if state == "Z":
                ended.add(int(file.parent.name))
    below = [os.getpid()]
    for pid in below:
        below += children.get(pid, [])
    return [pid for pid in below[1:] if pid not in ended]


def _adopt_orphans() -> None:
    with suppress(AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _asker_is_gone() -> bool:
    """Whether the pipe has been closed; waits a moment for it."""
    readable, _, _ = select.select([0], [], [], POLL_S)
    return bool(readable) and not os.read(0, 1)


def _reap(command: int = 0) -> int | None:
    """Exit code of the command, if it has ended; forgets every other process that has."""
    code = None
    with suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            if ended[0] == command:
                status = os.waitstatus_to_exitcode(ended[1])
                code = status if status >= 0 else 128 - status
    return code


def _signal(pids: Iterable[int], number: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), sys.argv[2:]))
