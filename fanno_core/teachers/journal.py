"""Every answer is written down before it is used, so that a resumed run asks nothing twice: the file."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from fanno_core.errors import RunStops, TryAgain
from fanno_core.teachers.protocol import Answer, Request

BUSY_TIMEOUT_S = 60.0
TABLE = """
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY, row_id TEXT NOT NULL, prompt TEXT NOT NULL, document_id TEXT NOT NULL, answer TEXT NOT NULL
)
"""
ANSWER = TypeAdapter(Answer)

log = logging.getLogger(__name__)


class Line(NamedTuple):
    """An answer as it is written down: its key, what was asked, and its JSON text."""

    key: str
    row_id: str
    prompt: str
    document_id: str
    answer: str


def lines_of(answered: Mapping[str, tuple[Request, Answer]]) -> list[Line]:
    """The lines to write down.

    Raises:
        RunStops: an answer is not what the protocol says and would not read as it was written.
    """
    return [
        Line(key, request.row_id, request.prompt, request.document_id, _text_of(answer, key))
        for key, (request, answer) in answered.items()
    ]


class Journal:
    """A teacher's answers in one SQLite file, opened at first use.

    Several threads may share a journal, and several processes a file.

    Args:
        path: the file; its folder must be there. None keeps the answers in a file without a name, which is gone
            when the journal is closed, or its process ends.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lock = Lock()
        self._connection: sqlite3.Connection | None = None

    def fetch(self, keys: Iterable[str]) -> dict[str, Answer]:
        """The answers written down under these keys. One that cannot be read is taken out and counts as absent.

        Raises:
            TryAgain: another process held the journal for too long.
            RunStops: the file is no journal.
        """
        found: dict[str, Answer] = {}
        with self._transaction() as connection:
            rows = connection.execute(
                # One JSON parameter, since SQLite limits how many there may be; BLOB, since damaged bytes may be
                # no UTF-8.
                "SELECT key, CAST(answer AS BLOB) FROM answers WHERE key IN (SELECT value FROM json_each(?))",
                [json.dumps(sorted(set(keys)))],
            ).fetchall()
            for key, written in rows:
                try:
                    found[key] = ANSWER.validate_json(written, strict=True)
                except ValidationError:
                    log.warning("%s: the answer %s cannot be read and will be asked again", self, key)
                    # Only as it was read: another process may have mended it meanwhile.
                    connection.execute("DELETE FROM answers WHERE key = ? AND CAST(answer AS BLOB) = ?", [key, written])
        return found

    def store(self, answered: Mapping[str, tuple[Request, Answer]]) -> dict[str, Answer]:
        """What the journal holds under these keys once they are on the disk, all of them or none.

        An answer that another process wrote down first stands, so that every reader uses the same.

        Raises:
            TryAgain: another process held the journal for too long.
            RunStops: the file is no journal, the disk refuses it, or an answer is not what the protocol says.
        """
        if not answered or self.add(lines_of(answered)) == len(answered):
            return {key: answer for key, (_, answer) in answered.items()}
        held = self.fetch(answered)
        # An answer that could not be read stood in the way of its like, and is out now.
        return held if len(held) == len(answered) else self.store(answered)

    def add(self, lines: Sequence[Line]) -> int:
        """Writes down lines whose keys are not there yet, in their order; how many those were.

        Raises:
            TryAgain: another process held the journal for too long.
            RunStops: the file is no journal, or the disk refuses it.
        """
        with self._transaction() as connection:
            cursor = connection.executemany("INSERT INTO answers VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", lines)
            return cursor.rowcount

    def close(self) -> None:
        """Closes the file; a later call opens it again."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def __str__(self) -> str:
        return f"journal {self._path}" if self._path else "copy of the journal"

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                self._connection = self._connection or self._open()
                with self._connection:
                    yield self._connection
            except sqlite3.OperationalError as error:
                if getattr(error, "sqlite_errorcode", 0) & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
                    raise TryAgain(f"{self} is held by another process") from error
                raise RunStops(f"{self} cannot be used: {error}; check the folder and the disk") from error
            except sqlite3.DatabaseError as error:
                raise RunStops(f"{self} cannot be read: {error}; move it away to ask anew") from error

    def _open(self) -> sqlite3.Connection:
        # SQLite takes an empty name for a file of its own that it removes.
        connection = sqlite3.connect(self._path or "", timeout=BUSY_TIMEOUT_S, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(TABLE)
        return connection


def _text_of(answer: Answer, key: str) -> str:
    try:
        text = ANSWER.dump_json(answer, warnings="error")
        if ANSWER.validate_json(text, strict=True) == answer:
            return text.decode()
    except (PydanticSerializationError, ValidationError):
        pass
    raise RunStops(f"answer {key} of the teacher does not read as it was written; please report this")
