"""Who may write to an output folder: one run at a time.

On the disk a lock, which the system drops when the run ends, however it ends. On an object store a lease.
"""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from fanno_core.errors import OutBusy, RunStops
from fanno_core.store.lease import LEASE_S, leased
from fanno_core.store.location import Location

LOCK = "lock"


@contextmanager
def owned(out: Location, lease_s: float = LEASE_S) -> Iterator[Callable[[], None]]:
    """Holds an output folder, and gives a check to be called between two pieces of work.

    The check raises OutBusy when the folder is no longer held, which can only happen on an object store.

    Args:
        out: the output folder.
        lease_s: on an object store, how long a holder may be out of reach before another run takes its place.

    Raises:
        OutBusy: another run holds the folder, or took it over meanwhile.
        RunStops: the folder cannot be written.
    """
    if not isinstance(out, Path):
        with leased(out / "work" / LOCK, lease_s) as still_held:
            yield still_held
        return
    try:
        (out / "work").mkdir(parents=True, exist_ok=True)
        file = (out / "work" / LOCK).open("w")
    except OSError as error:
        raise RunStops(f"--out {out}: {error.strerror}; name a folder that can be written") from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OutBusy(f"another run is writing to {out}; wait for it, or name another --out") from None
        yield lambda: None
