"""How a command that is interrupted ends: soon, and with the line that goes on.

Whatever was committed is safe at any moment, so nothing has to be waited for; the few seconds are for Prefect to
mark the run as ended.
"""

from __future__ import annotations

import os
import shlex
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console

INTERRUPTED = 130


@contextmanager
def interruptible() -> Iterator[None]:
    """Ends the process on SIGINT and SIGTERM with exit code 130 and one line that says how to go on."""

    def stop(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except BaseException as error:
        # While a flow runs, Prefect turns SIGTERM into an exception of its own.
        if isinstance(error, KeyboardInterrupt) or type(error).__name__ == "TerminationSignal":
            _farewell()
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def end_within(seconds: float) -> None:
    """Ends the process after that time, whatever its threads are doing."""
    timer = threading.Timer(seconds, _farewell)
    timer.daemon = True
    timer.start()


def _farewell() -> None:
    Console().show_cursor()  # which progress bars hide; a terminal keeps it so
    command = shlex.join(["fanno", *sys.argv[1:]])
    typer.echo(f"\ninterrupted; what is done is kept, and this goes on: {command}", err=True)
    os._exit(INTERRUPTED)
