"""Every answer is written down before it is used, so that a resumed run asks nothing twice: the file.

SQLite would read a flipped bit as it stands. So every line carries a digest, and one that is not what was written
stops the run: an answer that changes between two runs is worse than one that is missing.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from fanno_core.errors import RunStops, TryAgain
from fanno_core.outcome import Usage
from fanno_core.store.durable import sha256_of
from fanno_core.teachers.protocol import Answer, Request

BUSY_TIMEOUT_S = 60.0
# What SQLite needs to open a file: where there is less, it fails and does not say why.
LEAST_ROOM = 2**16
TABLE = """answers (
    key TEXT PRIMARY KEY, row_id TEXT NOT NULL, prompt TEXT NOT NULL, document_id TEXT NOT NULL, answer TEXT NOT NULL,
    sha256 TEXT NOT NULL
)"""
# For whoever asks what became of a row.
INDEX = "CREATE INDEX IF NOT EXISTS answers_of_row ON answers (row_id)"
ANSWER = TypeAdapter(Answer)
HOW_TO_MEND = "`fanno verify OUT --repair` takes out what is damaged, so that only that is asked again"


class Line(NamedTuple):
    """An answer as it is written down: its key, what was asked, its JSON text, and the digest of all these."""

    key: str
    row_id: str
    prompt: str
    document_id: str
    answer: str
    sha256: str


def line_of(key: str, row_id: str, prompt: str, document_id: str, answer: str) -> Line:
    """The line with its digest."""
    told = (key, row_id, prompt, document_id, answer)
    return Line(*told, sha256_of("\0".join(told).encode()))


def read_line(values: Sequence[bytes]) -> tuple[str, Answer]:
    """Key and answer of a line, from its columns as they are kept.

    Raises:
        ValueError: they are not what was written.
    """
    *told, sha256 = values
    try:
        if sha256_of(b"\0".join(told)).encode() == sha256:
            return told[0].decode(), ANSWER.validate_json(told[-1], strict=True)
    except TypeError:  # damage can make a number of a text
        pass
    raise ValueError("not what was written")


def lines_of(answered: Mapping[str, tuple[Request, Answer]]) -> list[Line]:
    """The lines to write down.

    Raises:
        RunStops: an answer is not what the protocol says and would not read as it was written.
    """
    return [
        line_of(key, request.row_id, request.prompt, request.document_id, _text_of(answer, key))
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
        """The answers written down under these keys.

        Raises:
            TryAgain: another process held the journal for too long.
            RunStops: an answer is not what was written down, or the file is no journal.
        """
        wanted = set(keys)
        with self._transaction() as connection:
            rows = _lines(connection, wanted)
        try:
            found = dict(map(read_line, rows))
        except ValueError:
            raise RunStops(f"{self} holds an answer that is not what was written down; {HOW_TO_MEND}") from None
        if not found.keys() <= wanted:
            raise RunStops(f"{self} gives an answer to another question; {HOW_TO_MEND}")
        return found

    def about(self, row_id: str, prompt: str) -> list[Answer]:
        """The answers to this prompt for this row, in the order of their keys; those that cannot be read are left out.

        Raises:
            TryAgain: another process held the journal for too long.
            RunStops: the file is no journal.
        """
        with self._transaction() as connection:
            return [answer for _, answer in _readable(_lines_about(connection, row_id, prompt))]

    def store(self, answered: Mapping[str, tuple[Request, Answer]]) -> dict[str, Answer]:
        """What the journal holds under these keys once they are on the disk, all of them or none.

        An answer that another process wrote down first stands, so that every reader uses the same.

        Raises:
            TryAgain: another process held the journal for too long.
            RunStops: the file is no journal, the disk refuses it, an answer is not what the protocol says, or one that
                stands there is not what was written down.
        """
        if not answered or self.add(lines_of(answered)) == len(answered):
            return {key: answer for key, (_, answer) in answered.items()}
        held = self.fetch(answered)
        # Where one is missing, a repair took it out just now.
        return held if len(held) == len(answered) else self.store(answered)

    def add(self, lines: Sequence[Line]) -> int:
        """Writes down lines whose keys are not there yet, in their order; how many those were.

        Raises:
            TryAgain: another process held the journal for too long.
            RunStops: the file is no journal, or the disk refuses it.
        """
        with self._transaction() as connection:
            statement = "INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
            return connection.executemany(statement, lines).rowcount

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
                raise RunStops(f"{self} cannot be used: {self._fault(error)}; check the folder and the disk") from error
            except (sqlite3.DatabaseError, UnicodeDecodeError) as error:  # of a name in the schema
                raise RunStops(f"{self} cannot be read: {error}; {HOW_TO_MEND}, or move it away to ask anew") from error

    def _fault(self, error: sqlite3.OperationalError) -> str:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_IOERR and self._path and shutil.disk_usage(self._path.parent).free < LEAST_ROOM:
            return "the disk is full"
        return str(error)

    def _open(self) -> sqlite3.Connection:
        # SQLite takes an empty name for a file of its own that it removes.
        connection = sqlite3.connect(self._path or "", timeout=BUSY_TIMEOUT_S, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.text_factory = bytes  # damaged text may be no UTF-8
        connection.execute(f"CREATE TABLE IF NOT EXISTS {TABLE}")
        if not is_made_here(connection):
            connection.close()
            raise RunStops(f"{self} is damaged, or of another version of FANNO; {HOW_TO_MEND}")
        connection.execute(INDEX)
        return connection


def is_made_here(connection: sqlite3.Connection) -> bool:
    """Whether the table of answers is, to the letter, the one that this version makes."""
    (made,) = connection.execute("SELECT CAST(sql AS BLOB) FROM sqlite_master WHERE name = 'answers'").fetchone()
    return bool(made == f"CREATE TABLE {TABLE}".encode())


class JournalReader:
    """A journal that stays as it is, for whoever tells of its answers. One that cannot be read counts as absent.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def fetch(self, keys: Iterable[str]) -> dict[str, Answer]:
        """The answers written down under these keys.

        Raises:
            RunStops: there is no such file, it is no journal, or another process holds it.
        """
        with self._reading() as connection:
            return dict(_readable(_lines(connection, keys)))

    def about(self, row_id: str, prompt: str) -> list[Answer]:
        """The answers to this prompt for this row, in the order of their keys.

        Raises:
            RunStops: there is no such file, it is no journal, or another process holds it.
        """
        with self._reading() as connection:
            return [answer for _, answer in _readable(_lines_about(connection, row_id, prompt))]

    def asked(self) -> dict[str, Usage]:
        """What all answers took together, by prompt; of those that were not even sent, nothing.

        Raises:
            RunStops: there is no such file, it is no journal, or another process holds it.
        """
        found: dict[str, Usage] = {}
        with self._reading() as connection:
            for line in connection.execute("SELECT * FROM answers ORDER BY key"):
                for _, answer in _readable([line]):
                    if answer.finish != "context":
                        prompt = line[2].decode()
                        used = Usage(1, answer.prompt_tokens, answer.completion_tokens, answer.cached_tokens)
                        found[prompt] = found.get(prompt, Usage()) + used
        return found

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        # SQLite keeps two files beside a journal that it reads, and takes them away again; it cannot where nobody may
        # write. Then nobody writes to the journal either.
        how = "mode=rw" if os.access(self._path.parent, os.W_OK) else "immutable=1"
        place = f"{self._path.absolute().as_uri()}?{how}"
        try:
            with closing(sqlite3.connect(place, BUSY_TIMEOUT_S, uri=True)) as connection:
                connection.text_factory = bytes  # damaged text may be no UTF-8
                yield connection
        except sqlite3.Error as error:
            raise RunStops(f"journal {self._path} cannot be read: {error}; was it moved or removed?") from None


def _lines(connection: sqlite3.Connection, keys: Iterable[str]) -> list[tuple[bytes, ...]]:
    # One JSON parameter, since SQLite limits how many there may be.
    statement = "SELECT * FROM answers WHERE key IN (SELECT value FROM json_each(?))"
    return connection.execute(statement, [json.dumps(sorted(set(keys)))]).fetchall()


def _lines_about(connection: sqlite3.Connection, row_id: str, prompt: str) -> list[tuple[bytes, ...]]:
    statement = "SELECT * FROM answers WHERE row_id = ? AND prompt = ? ORDER BY key"
    return connection.execute(statement, [row_id, prompt]).fetchall()


def _readable(lines: Iterable[tuple[bytes, ...]]) -> Iterator[tuple[str, Answer]]:
    for line in lines:
        with suppress(ValueError):
            yield read_line(line)


def _text_of(answer: Answer, key: str) -> str:
    try:
        text = ANSWER.dump_json(answer, warnings="error")
        if ANSWER.validate_json(text, strict=True) == answer:
            return text.decode()
    except (PydanticSerializationError, ValidationError):
        pass
    raise RunStops(f"answer {key} of the teacher does not read as it was written; please report this")
