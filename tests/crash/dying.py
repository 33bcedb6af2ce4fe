"""A process that is killed at a commit point, from within: at the n-th time that it comes there.

`python -m tests.crash.dying PLAN.json`: for each step of the plan a child is forked, told where to die, and set to
work; a line says how it ended. Forking saves the seconds of importing everything anew.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import stat
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO

POINTS = (
    "before write",
    "half written",
    "before fsync",
    "after fsync",
    "before rename",
    "after rename",
    "before fsync of folder",
    "after fsync of folder",
)
Passing = Callable[[str], None]


class Written:
    """An open file whose writes take two steps."""

    def __init__(self, file: BinaryIO, at: Passing) -> None:
        self._file, self._at = file, at

    def __enter__(self) -> Written:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def write(self, data: bytes) -> int:
        half = len(data) // 2
        self._file.write(data[:half])
        self._file.flush()
        self._at("half written")
        return half + self._file.write(data[half:])


def arm(point: str, number: int) -> None:
    """Has this process killed when it comes to a point for that time; every durable write comes to each point once."""
    times = count(1)
    fsync, replace, open_ = os.fsync, Path.replace, Path.open

    def at(passed: str) -> None:
        if passed == point and next(times) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    def dying_fsync(handle: int) -> None:
        of = " of folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else ""
        at(f"before fsync{of}")
        fsync(handle)
        at(f"after fsync{of}")

    def dying_replace(self: Path, target: Path) -> Path:
        at("before rename")
        replaced = replace(self, target)
        at("after rename")
        return replaced

    def dying_open(self: Path, mode: str = "r", *rest: Any, **named: Any) -> Any:
        if mode != "wb":
            return open_(self, mode, *rest, **named)
        at("before write")
        return Written(open_(self, mode), at)  # type: ignore[arg-type]

    os.fsync, Path.replace, Path.open = dying_fsync, dying_replace, dying_open  # type: ignore[assignment,method-assign]


def commit_all(out: Path) -> None:
    """Work as tasks do it, without Prefect: two entries with shards, a publication, its entry."""
    from fanno_core.dataset.publish import publish_dataset
    from fanno_core.settings import Publish
    from fanno_core.store.ledger import Entry, Store
    from tests.dataset.test_publish import PROVENANCE, examples
    from tests.store.test_ledger import committed

    committed(out)
    kept, others = publish_dataset(examples(3), out, Publish(), PROVENANCE)
    Store(out).record(Entry("publish", "k1", 3, 3, kept, (), others))


def run_flow(out: Path, documents: Path, assignments: list[str]) -> None:
    """A whole run."""
    from tests.conftest import run_here

    run_here([documents], out, *assignments)


def main(plan: list[dict[str, Any]]) -> None:
    """Works off a plan: each step names the `work`, its arguments, the `point` and the `number`."""
    for name in ("deployments.server", "flows.fanno", "tests.dataset.test_publish", "tests.store.test_ledger"):
        importlib.import_module(name)  # before forking, and so once
    for step in plan:
        child = os.fork()
        if child == 0:
            arm(step["point"], step["number"])
            if step["work"] == "commit":
                commit_all(Path(step["out"]))
            else:
                run_flow(Path(step["out"]), Path(step["documents"]), step["assignments"])
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
