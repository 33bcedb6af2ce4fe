"""Where a run's answers are written down: a file beside the shards, or objects where the folder lies on S3."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

from fanno_core.errors import BadSettings
from fanno_core.store.location import Location
from fanno_core.teachers.journal import Journal
from fanno_core.teachers.object_journal import ObjectJournal
from fanno_core.teachers.protocol import Answer, Request

FILE = "journal.sqlite"
FOLDER = "journal"


class AnswerJournal(Protocol):
    """Answers by the key of their request. Threads may share one, and all processes share what is in it."""

    def fetch(self, keys: Iterable[str]) -> dict[str, Answer]:
        """The answers written down under these keys.

        Raises:
            TryAgain: a passing fault of the disk or the object store.
            RunStops: the journal cannot be used, or an answer in it is not what was written down.
        """
        ...

    def store(self, answered: Mapping[str, tuple[Request, Answer]]) -> dict[str, Answer]:
        """What the journal holds under these keys once they are written down: what was there first stands.

        Raises:
            TryAgain: a passing fault of the disk or the object store.
            RunStops: the journal cannot be used, or an answer is not what the protocol says.
        """
        ...

    def close(self) -> None:
        """Lets go of what was opened; a later call opens it again."""
        ...


def open_journal(out: Location, shared: str = "") -> AnswerJournal:
    """The journal of an output folder, or the shared one; nothing is read or made before its first use.

    Args:
        out: the output folder.
        shared: what `shared_journal` gave.
    """
    if shared:
        return Journal(Path(shared))
    work = out / "work"
    return Journal(work / FILE) if isinstance(work, Path) else ObjectJournal(work / FOLDER)


def shared_journal(out: Location, named: str) -> str:
    """The setting `run.journal` as an absolute path, since tasks may run in another folder; empty where it is.

    Raises:
        BadSettings: a file is named, but the output folder lies on an object store.
    """
    if not named:
        return ""
    if not isinstance(out, Path):
        raise BadSettings(
            f"setting run.journal: only runs on the disk share a file, but --out is {out}; leave it empty"
        )
    return str(Path(named).expanduser().resolve())
