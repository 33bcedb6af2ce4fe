"""A lock as an object, for machines that share nothing else: put if there is none, renewed, taken over once stale.

Each step is a conditional write, so of two that try, one succeeds. Age is told by the store's clock alone, and a
holder that was asleep for longer than the lease finds its own writes refused, and stops.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING
from uuid import uuid4

from fanno_core.errors import FannoError, OutBusy, RunStops, TryAgain
from fanno_core.store.objects import Stamp, create_object, remove_object, replace_object, stamp_of

if TYPE_CHECKING:
    from upath import UPath

LEASE_S = 60.0
RENEWALS_A_LEASE = 6
LOOK_AGAIN_S = 1.0
NO_VERSION = '"00000000000000000000000000000000"'

log = logging.getLogger(__name__)


@contextmanager
def leased(path: UPath, lease_s: float = LEASE_S) -> Iterator[Callable[[], None]]:
    """Holds a lease until the block ends, and gives a check that raises OutBusy once the lease is lost.

    Args:
        path: the object that stands for the lease.
        lease_s: seconds without a renewal after which it is taken over. A run that finds a lease waits until it is
            renewed, which shows that its holder lives, or until it is stale: at most so long.

    Raises:
        OutBusy: another run holds the lease, or took it over meanwhile.
        RunStops: the store cannot be reached, refuses, or does not know conditional writes.
    """
    lease = Lease(path, lease_s)
    try:
        lease.take()
    except TryAgain as error:
        raise RunStops(f"{error}; check the URL, AWS_ENDPOINT_URL and the network") from None
    over = Event()
    renewing = Thread(target=lease.keep, args=(over,), name="fanno-lease", daemon=True)
    renewing.start()
    try:
        yield lease.check
        lease.check()
    finally:
        over.set()
        renewing.join()
        lease.release()


class Lease:
    """One holder's view of a lease.

    Args:
        path: the object.
        lease_s: seconds after which one that is not renewed is stale.
    """

    def __init__(self, path: UPath, lease_s: float = LEASE_S) -> None:
        self._path = path
        self._lease_s = lease_s
        self._owner = f"{socket.gethostname()}/{os.getpid()}/{uuid4().hex}".encode("ascii", "replace").decode()
        self._held = Stamp("", self._owner, 0.0)
        self._beats = 0
        self._renewed = 0.0
        self._lost = False
        self._renewing = Lock()

    def take(self) -> None:
        """Takes the lease: at once where there is none, and where there is one, when it has run out.

        Raises:
            OutBusy: its holder renewed it meanwhile.
            TryAgain, RunStops: the store cannot be reached, refuses, or does not know conditional writes.
        """
        watched: Stamp | None = None
        while True:
            found = stamp_of(self._path)
            # It may be ours already: a request that got lost on its way back is sent again, and then refused.
            if found is None or found.owner == self._owner or found.age_s >= self._lease_s:
                if self._put(found):
                    break
                continue
            if watched is None:
                log.info("%s is held by %s: waiting to see whether that run lives", self._path, _told(found))
                watched = found
            if found.etag != watched.etag:
                raise OutBusy(f"another run ({_told(found)}) holds {self._path}; wait for it, or name another --out")
            time.sleep(min(LOOK_AGAIN_S, self._lease_s / RENEWALS_A_LEASE))
        self._prove()

    def keep(self, over: Event) -> None:
        """Renews the lease until `over` is set or the lease is lost."""
        while not self._lost and not over.wait(self._lease_s / RENEWALS_A_LEASE):
            self._renew()

    def check(self) -> None:
        """Nothing, as long as the lease is held.

        Raises:
            OutBusy: another run took it over, or may do so since it cannot be renewed.
        """
        if self._is_overdue():
            self._renew()
        if self._lost or self._is_overdue():
            raise OutBusy(f"{self._path} was not renewed for {self._lease_s:.0f} s and may be another run's; run again")

    def release(self) -> None:
        """Gives the lease back, if it is still held; where that fails it runs out by itself."""
        if self._lost or self._is_overdue():
            return
        try:
            remove_object(self._path, self._held.etag)
        except FannoError as error:
            log.warning("%s could not be removed and runs out in %.0f s: %s", self._path, self._lease_s, error)

    def _is_overdue(self) -> bool:
        return time.monotonic() - self._renewed > self._lease_s

    def _renew(self) -> None:
        with self._renewing:
            try:
                if not self._put(self._held):
                    # Sent again and refused, or taken over: the owner named in it tells.
                    found = stamp_of(self._path)
                    self._lost = found is None or found.owner != self._owner or not self._put(found)
            except FannoError as error:
                log.warning("%s could not be renewed: %s", self._path, error)

    def _put(self, found: Stamp | None) -> bool:
        """Writes the lease where there is none, or over the one that was found; whether it was still so."""
        started = time.monotonic()
        self._beats += 1
        # Other bytes each time, since the version of an object is a digest of them.
        data = f"{self._owner} {self._beats}\n".encode()
        if found is None:
            etag = create_object(self._path, data, self._owner)
        else:
            etag = replace_object(self._path, data, self._owner, found.etag)
        if etag is None:
            return False
        self._held, self._renewed = Stamp(etag, self._owner, 0.0), started
        return True

    def _prove(self) -> None:
        """Tries two writes that a store must refuse, for there are stores that ignore the conditions.

        Raises:
            RunStops: this one does.
        """
        if create_object(self._path, b"", self._owner) or replace_object(self._path, b"", self._owner, NO_VERSION):
            remove_object(self._path)
            raise RunStops(
                f"{self._path}: this store ignores If-None-Match or If-Match, without which two runs may write to one "
                "folder; name an --out on another store"
            )


def _told(stamp: Stamp) -> str:
    host, process, *_ = [*stamp.owner.split("/"), "", ""]
    return f"host {host}, process {process}"
