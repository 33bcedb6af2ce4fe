"""The ledger under any sequence of commits, kills, full disks and damage, held against a dictionary."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from fanno_core.errors import RunStops
from fanno_core.outcome import Outcome
from fanno_core.store import durable
from fanno_core.store.contracts import Document, Rejection
from fanno_core.store.durable import sweep_temporaries
from fanno_core.store.ledger import Entry, Store, by_id

PHASE = "rules"
ROWS = st.lists(st.integers(0, 2**16 - 1), unique=True, max_size=6).map(
    lambda numbers: [Document(f"{n:04x}{n:012x}", f"text {n}", "here", str(n)) for n in numbers]
)
NAMES = ("k0", "k1", "k2")
KEYS = st.sampled_from(NAMES)


class Killed(BaseException):
    """The process is gone: nothing after this point is done."""


@contextmanager
def dying_at(step: int, error: BaseException, *, torn: bool) -> Iterator[None]:
    """Stops at one of the steps that commits take: each write, fsync, rename and fsync of a folder counts.

    What a killed process leaves is left: a torn file where it was writing, and no tidying up.
    """
    left, unlink = step, Path.unlink

    def until_then(real: Callable[..., Any]) -> Callable[..., Any]:
        def stepping(*arguments: Any) -> Any:
            nonlocal left
            left -= 1
            if left >= 0:
                return real(*arguments)
            if torn and len(arguments) == 2 and isinstance(arguments[1], bytes):
                path, data = arguments
                path.write_bytes(data[: len(data) // 2])
            raise error

        return stepping

    def unlink_while_alive(path: Path, missing_ok: bool = False) -> None:
        if left >= 0 or not isinstance(error, Killed):
            unlink(path, missing_ok=missing_ok)

    core = {name: until_then(getattr(durable, name)) for name in ("_write_synced", "sync_folder")}
    with (
        patch.multiple(durable, **core),
        patch.object(Path, "replace", until_then(Path.replace)),
        patch.object(Path, "unlink", unlink_while_alive),
    ):
        yield


class Ledger(RuleBasedStateMachine):
    """Rules are what can happen to an output folder; invariants what must hold after each."""

    def __init__(self) -> None:
        super().__init__()
        self.out = Path(tempfile.mkdtemp(prefix="fanno-ledger-"))
        self.store = Store(self.out)
        self.done: dict[str, list[Document]] = {}
        """Work that the ledger owns up to, and its rows."""
        self.doubtful: dict[str, list[Document]] = {}
        """Work that died on the way: done with these rows, or not done."""

    def teardown(self) -> None:
        shutil.rmtree(self.out)

    def _commit(self, key: str, rows: list[Document]) -> Entry:
        rejected = [Rejection(f"r{key}", PHASE, "too_short")]
        outcome = Outcome(rows, rejected, len(rows) + 1)
        return self.store.commit(PHASE, key, len(rows), outcome, by_id(rows, 2), Document, {})

    @rule(key=KEYS, rows=ROWS)
    def commit(self, key: str, rows: list[Document]) -> None:
        """Work is done; done work is not done again, as the phases have it."""
        if self.store.find(PHASE, key) is None:
            self._commit(key, rows)
            self.done[key] = rows
            self.doubtful.pop(key, None)

    @rule(key=KEYS, rows=ROWS, step=st.integers(0, 30), torn=st.booleans(), full=st.booleans())
    def die_in_commit(self, key: str, rows: list[Document], step: int, torn: bool, full: bool) -> None:
        """The process is killed, or the disk is full, at any step of a commit."""
        if self.store.find(PHASE, key) is not None:
            return
        error = OSError(28, os.strerror(28)) if full else Killed()
        try:
            with dying_at(step, error, torn=torn):
                self._commit(key, rows)
        except (Killed, RunStops):
            self.doubtful[key] = rows
        else:
            self.done[key] = rows
            self.doubtful.pop(key, None)

    @rule(key=KEYS, which=st.integers(0, 99), place=st.integers(0, 2**20), bit=st.integers(0, 7))
    def flip_a_bit(self, key: str, which: int, place: int, bit: int) -> None:
        """A committed file rots: its work is not done any more."""
        entry = self.store.find(PHASE, key)
        if entry is None:
            return
        path = self.out / entry.files[which % len(entry.files)].path
        data = bytearray(path.read_bytes())
        data[place % len(data)] ^= 1 << bit
        path.write_bytes(bytes(data))
        assert self.store.find(PHASE, key) is None
        self.done.pop(key, None)
        self.doubtful.pop(key, None)

    @rule(key=KEYS, share=st.floats(0, 0.999))
    def cut_the_entry(self, key: str, share: float) -> None:
        """An entry loses its end: its work is not done any more."""
        path = self.out / "work" / "ledger" / PHASE / f"{key}.json"
        if path.exists():
            data = path.read_bytes()
            path.write_bytes(data[: int(len(data) * share)])
            assert self.store.find(PHASE, key) is None
            self.done.pop(key, None)
            self.doubtful.pop(key, None)

    @rule()
    def resume(self) -> None:
        """The next owner of the folder sweeps up: no temporary file is left, and nothing committed is lost."""
        sweep_temporaries([self.out])
        assert not [file for file in self.out.rglob(".*") if file.is_file()]

    @invariant()
    def what_is_done_is_whole(self) -> None:
        for key, rows in self.done.items():
            entry = self.store.find(PHASE, key)
            assert entry is not None
            self._holds(entry, rows)

    @invariant()
    def what_died_is_done_or_not_and_never_half(self) -> None:
        for key in NAMES:
            entry = self.store.find(PHASE, key)
            if entry is not None and key not in self.done:
                self._holds(entry, self.doubtful[key])

    def _holds(self, entry: Entry, rows: list[Document]) -> None:
        read = self.store.read(entry.kept, Document)
        assert sorted(row.id for row in read) == sorted(row.id for row in rows)
        assert entry.candidates == len(rows) + len(self.store.read(entry.rejected, Rejection))


TestLedger = Ledger.TestCase
TestLedger.settings = settings(max_examples=25, stateful_step_count=12, deadline=None)
