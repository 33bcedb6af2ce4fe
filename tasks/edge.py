"""What leaves a task or a flow: errors whose message may be kept, since Prefect keeps it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from traceback import walk_tb

from fanno_core.errors import FannoError, RunStops

OURS = ("fanno_core", "tasks", "flows")


@contextmanager
def one_sentence(what: str) -> Iterator[None]:
    """Lets this project's own errors pass, without what caused them, and gives any other one a sentence.

    The message of an error that nobody foresaw may hold text of a document or a secret, and Prefect writes messages
    and the chain of causes to its database. So what it was and where is told, and its message is not.

    Args:
        what: what is being done, such as `phase rules, shard 003`.

    Raises:
        RunStops: in place of an error that is none of this project's.
    """
    try:
        yield
    except FannoError as error:
        raise error from None
    except Exception as error:
        raise RunStops(
            f"{what}: {type(error).__name__} in {_place(error)}; this is a fault of FANNO, please report it "
            "(the error's own message is left out, since it may hold text of a document)"
        ) from None


def _place(error: Exception) -> str:
    """The last line of our own code that the error went through."""
    lines = [(str(frame.f_globals.get("__name__", "")), number) for frame, number in walk_tb(error.__traceback__)]
    ours = [line for line in lines if line[0].partition(".")[0] in OURS and line[0] != __name__]
    module, number = (ours or lines)[-1]
    return f"{module}, line {number}"
