"""Every answer is written down before it is used, so that a resumed run asks nothing twice."""

from __future__ import annotations

import hashlib
import json
import logging
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from threading import Lock

from pydantic import TypeAdapter, ValidationError

from fanno_core.errors import RunStops, TryAgain
from fanno_core.outcome import Usage
from fanno_core.teachers.protocol import Answer, Identity, Request, Teacher

BUSY_TIMEOUT_S = 60.0
TABLE = """
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY, row_id TEXT NOT NULL, prompt TEXT NOT NULL, document_id TEXT NOT NULL, answer TEXT NOT NULL
)
"""
ANSWER = TypeAdapter(Answer)

log = logging.getLogger(__name__)


def request_key(request: Request, identity: Identity) -> str:
    """SHA-256 of all that an answer depends on: text, choices, sampling and teacher; 64 hex digits."""
    sampling = request.sampling
    told = [
        request.text,
        list(request.choices),
        [sampling.max_tokens, float(sampling.temperature), float(sampling.top_p), sampling.seed],
        [identity.name, identity.model, identity.revision, identity.options],
    ]
    return hashlib.sha256(json.dumps(told, separators=(",", ":")).encode()).hexdigest()


class Journal:
    """A teacher's answers in one SQLite file, opened at first use.

    Several threads may share a journal, and several processes a file.

    Args:
        path: the file; its folder must be there.
    """

    def __init__(self, path: Path) -> None:
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
                    log.warning("journal %s: the answer %s cannot be read and will be asked again", self._path, key)
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
        rows = [
            (key, request.row_id, request.prompt, request.document_id, json.dumps(asdict(answer)))
            for key, (request, answer) in answered.items()
        ]
        with self._transaction() as connection:
            connection.executemany("INSERT INTO answers VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", rows)
        held = self.fetch(answered)
        if unread := len(answered) - len(held):
            raise RunStops(f"journal {self._path}: {unread} answers of the teacher do not read as they were written")
        return held

    def close(self) -> None:
        """Closes the file; a later call opens it again."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                self._connection = self._connection or self._open()
                with self._connection:
                    yield self._connection
            except sqlite3.OperationalError as error:
                if getattr(error, "sqlite_errorcode", 0) & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
                    raise TryAgain(f"journal {self._path} is held by another process") from error
                raise RunStops(
                    f"journal {self._path} cannot be used: {error}; check the folder and the disk"
                ) from error
            except sqlite3.DatabaseError as error:
                raise RunStops(f"journal {self._path} cannot be read: {error}; move it away to ask anew") from error

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=BUSY_TIMEOUT_S, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(TABLE)
        return connection


class Journalled:
    """A teacher that looks into the journal first and asks only for what is not there.

    Each task has a wrapper of its own and reads its `usage` at the end.

    Args:
        teacher: who is asked.
        journal: where the answers are.
        chunk: requests asked and written down at a time, >= 1: the most that a kill can lose. Chunks are cut in the
            order of the requests, so that a resumed call asks for the chunks that the killed one did not reach.
    """

    def __init__(self, teacher: Teacher, journal: Journal, chunk: int = 64) -> None:
        self._teacher = teacher
        self._journal = journal
        self._chunk = chunk
        self.identity = teacher.identity
        self.needs_context = teacher.needs_context
        self.usage = Usage()
        """What was asked of the teacher through this wrapper; answers from the journal cost nothing."""

    async def answer(self, requests: Sequence[Request]) -> list[Answer]:
        """Answers in the order of the requests; equal requests are asked once.

        Raises:
            TryAgain: a passing fault of the teacher or the journal.
            RunStops: the teacher or the journal cannot be used.
        """
        keys = [request_key(request, self.identity) for request in requests]
        known = self._journal.fetch(keys)
        missing = [
            (key, request) for key, request in dict(zip(keys, requests, strict=True)).items() if key not in known
        ]
        for start in range(0, len(missing), self._chunk):
            known |= await self._ask(missing[start : start + self._chunk])
        return [known[key] for key in keys]

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Length of each text in the teacher's tokens, without special tokens."""
        return self._teacher.count_tokens(texts)

    async def _ask(self, missing: Sequence[tuple[str, Request]]) -> dict[str, Answer]:
        answers = await self._teacher.answer([request for _, request in missing])
        pairs = {key: (request, answer) for (key, request), answer in zip(missing, answers, strict=True)}
        written = self._journal.store(pairs)
        for answer in answers:
            self.usage += Usage(1, answer.prompt_tokens, answer.completion_tokens)
        return written
