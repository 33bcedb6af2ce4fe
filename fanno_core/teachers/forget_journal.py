"""The answers about some documents, taken out of a journal so that no page of its file still holds them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from fanno_core.errors import RunStops
from fanno_core.teachers.journal import BUSY_TIMEOUT_S

LINES_AT_ONCE = 1000

Holding = Callable[[Sequence[bytes]], Sequence[int]]
"""Places of the values that hold a passage of what is forgotten."""


def forget_answers(journal: Path, document_ids: Collection[str], row_ids: Collection[str], holding: Holding) -> int:
    """How many answers were taken out: those about these documents and rows, and those that hold a passage.

    The file is made anew without its free pages, and its log is emptied. Other answers stay as they are.

    Args:
        journal: the file; where there is none, there is nothing to take out.
        document_ids: ids of segments.
        row_ids: ids of rows.
        holding: finds passages in the JSON text of answers.

    Raises:
        RunStops: another process holds the journal, or it cannot be read.
    """
    if not journal.is_file():
        return 0
    try:
        with closing(sqlite3.connect(journal, BUSY_TIMEOUT_S, isolation_level=None)) as connection:
            connection.text_factory = bytes
            gone = sorted({*_about(connection, {*document_ids, *row_ids}), *_quoting(connection, holding)})
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("DELETE FROM answers WHERE rowid = ?", [(row,) for row in gone])
            connection.execute("COMMIT")
            without_free_pages(connection)
    except sqlite3.Error as error:
        raise RunStops(
            f"journal {journal} cannot be cleared ({error}); end what uses it, or mend it with `fanno verify OUT "
            "--repair`, and forget again"
        ) from None
    return len(gone)


def answers_to_forget(journal: Path, document_ids: Collection[str], row_ids: Collection[str], holding: Holding) -> int:
    """How many answers `forget_answers` would take out; nothing is changed. Arguments are those of that.

    Raises:
        RunStops: the journal cannot be read.
    """
    if not journal.is_file():
        return 0
    try:
        with closing(sqlite3.connect(f"{journal.absolute().as_uri()}?mode=ro", BUSY_TIMEOUT_S, uri=True)) as connection:
            connection.text_factory = bytes
            return len({*_about(connection, {*document_ids, *row_ids}), *_quoting(connection, holding)})
    except sqlite3.Error as error:
        raise RunStops(f"journal {journal} cannot be read ({error}); `fanno verify OUT` names what is wrong") from None


def let_go(journal: Path, document_ids: Collection[str], outputs: Mapping[str, str]) -> int:
    """How many answers were taken out: those about these documents, and responses that rows have no more.

    What is deleted is overwritten, which costs what it is large; the file keeps its size.

    Args:
        journal: the file; where there is none, there is nothing to take out.
        document_ids: ids of segments.
        outputs: id of each row that was answered anew, or lost its answer, to its response now, or nothing.

    Raises:
        RunStops: the journal cannot be written.
    """
    if not (journal.is_file() and (document_ids or outputs)):
        return 0
    try:
        with closing(sqlite3.connect(journal, BUSY_TIMEOUT_S, isolation_level=None)) as connection:
            gone = {*_about(connection, document_ids, "document_id"), *_outdated(connection, outputs)}
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("DELETE FROM answers WHERE rowid = ?", [(row,) for row in sorted(gone)])
            connection.execute("COMMIT")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as error:
        raise RunStops(f"journal {journal} cannot be cleared of what was withdrawn ({error}); run again") from None
    return len(gone)


def without_free_pages(connection: sqlite3.Connection) -> None:
    """Writes a database anew, so that what was deleted from it is in no page and in no log of it.

    Raises:
        sqlite3.Error: another process reads from it, or the disk refuses.
    """
    # The first empties the log of what was deleted, the last of what VACUUM writes.
    for statement in ("PRAGMA wal_checkpoint(TRUNCATE)", "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
        busy = connection.execute(statement).fetchone()
        if busy and busy[0]:
            raise sqlite3.OperationalError("another process reads from it")


def _outdated(connection: sqlite3.Connection, outputs: Mapping[str, str]) -> Iterator[int]:
    """Responses that are not those of the rows any more: their text is part of the answer, but for white space."""
    for row, output in sorted(outputs.items()):
        lines = "SELECT rowid, answer FROM answers WHERE row_id = ? AND prompt LIKE 'response%'"
        for line, answer in connection.execute(lines, (row,)):
            if not output or output not in str(json.loads(answer)["text"]):
                yield line


def _about(connection: sqlite3.Connection, ids: Collection[str], *columns: str) -> Iterator[int]:
    # A table of its own, since SQLite limits how many parameters there may be.
    connection.execute("CREATE TEMP TABLE IF NOT EXISTS gone (id TEXT PRIMARY KEY)")
    connection.execute("DELETE FROM temp.gone")
    connection.executemany("INSERT INTO temp.gone VALUES (?)", [(name,) for name in sorted(ids)])
    named = " OR ".join(f"{column} IN temp.gone" for column in columns or ("row_id", "document_id"))
    chosen = f"SELECT rowid FROM answers WHERE {named}"  # noqa: S608 - the names of our own columns
    yield from (row for (row,) in connection.execute(chosen))


def _quoting(connection: sqlite3.Connection, holding: Holding) -> Iterator[int]:
    lines = connection.execute("SELECT rowid, answer FROM answers ORDER BY rowid")
    while some := lines.fetchmany(LINES_AT_ONCE):
        # Damage can make a number of a text.
        values = [answer if isinstance(answer, bytes) else b"" for _, answer in some]
        yield from (some[place][0] for place in holding(values))
