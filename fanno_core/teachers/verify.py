"""Whether every answer is what was written down, and what can be saved of a journal where not."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from itertools import islice
from pathlib import Path

from fanno_core.errors import RunStops
from fanno_core.store.durable import each, names_in, read_whole, remove_files, sync_folder, write_durably
from fanno_core.store.location import Location
from fanno_core.store.verify import Damage
from fanno_core.teachers.answer_journal import FILE, FOLDER
from fanno_core.teachers.journal import Journal, Line, is_made_here, read_line
from fanno_core.teachers.object_journal import SEGMENT, read_segment, segment_bytes, whole_lines

PATH = f"work/{FILE}"
SET_ASIDE = "{}.damaged"
SIDECARS = ("-wal", "-shm")
LINES_AT_ONCE = 1000
# The columns get names of our own, since damage can make theirs unreadable.
FROM_BOTH_ENDS = (
    "WITH lines(a, b, c, d, e, f) AS (SELECT * FROM answers NOT INDEXED ORDER BY rowid) SELECT * FROM lines",
    "WITH lines(a, b, c, d, e, f) AS (SELECT * FROM answers NOT INDEXED ORDER BY rowid DESC) SELECT * FROM lines",
)


def check_journal(out: Location, shared: str = "") -> list[Damage]:
    """What is wrong with the journal of an output folder, and with the one it shares; nothing where there is none.

    Args:
        out: the output folder.
        shared: absolute path of the shared journal, or empty.

    Raises:
        TryAgain, RunStops: the object store cannot be reached, or refuses.
    """
    if not isinstance(out, Path):
        names = [name for name in names_in(out / "work" / FOLDER) if name.endswith(Path(SEGMENT).suffix)]
        damages = each(out, lambda name: _check_segment(out, f"work/{FOLDER}/{name}"), names)
        return [damage for damage in damages if damage]
    return [*_check_file(out / PATH, PATH), *(_check_file(Path(shared), shared) if shared else ())]


def mend_journal(out: Location, shared: str = "") -> None:
    """Takes out what is damaged of a journal; those answers will be asked again.

    Of a file or segment, just the answers that are not what was written. A file that SQLite finds broken is set aside
    as `journal.sqlite.damaged`, and what can be read of it is put into a new one. A shared file with nothing to save
    in it may be no journal at all, and stays. Only for the one who owns the folder, while no other run uses the shared
    journal.

    Raises:
        RunStops: the disk refuses it.
        TryAgain, RunStops: the object store cannot be reached, or refuses.
    """
    if not isinstance(out, Path):
        for damage in check_journal(out):
            write_durably(out / damage.path, segment_bytes(whole_lines(read_whole(out / damage.path))))
        return
    _mend_file(out / PATH)
    if shared and any(_salvaged(Path(shared))):
        _mend_file(Path(shared))


def _check_file(path: Path, name: str) -> list[Damage]:
    if not path.is_file():
        return []
    what = _structure(path)
    if what:
        return [Damage(name, f"is damaged: {what}")]
    return [Damage(name, f"holds an answer that is not what was written down, in row {row}") for row in _bad_rows(path)]


def _structure(path: Path) -> str:
    """What is wrong with a file as a whole; empty where nothing is."""
    try:
        with closing(_open(path)) as connection:
            (first, *_) = connection.execute("PRAGMA integrity_check(1)").fetchone()
            if first == b"ok" and (not _has_answers(connection) or is_made_here(connection)):
                return ""
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        return str(error)
    return "it is not a table of answers as this version makes it" if first == b"ok" else _in_one_line(first)


def _bad_rows(path: Path) -> list[int]:
    with closing(_open(path)) as connection:
        if not _has_answers(connection):  # its maker was killed
            return []
        rows = connection.execute("SELECT rowid, * FROM answers ORDER BY rowid")
        return [row for row, *values in rows if not _is_whole(values)]


def _mend_file(path: Path) -> None:
    if not path.is_file():
        return
    if _structure(path):
        _rebuild(path)
        return
    rows = [(row,) for row in _bad_rows(path)]
    with closing(_open(path)) as connection, connection:
        connection.executemany("DELETE FROM answers WHERE rowid = ?", rows)


def _rebuild(path: Path) -> None:
    fresh = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    journal = Journal(fresh)
    try:
        journal.add([])  # so that there is a file even where nothing can be saved
        lines = _salvaged(path)
        while some := list(islice(lines, LINES_AT_ONCE)):
            journal.add(some)
        journal.close()
        aside = path.with_name(SET_ASIDE.format(path.name))
        aside.unlink(missing_ok=True)
        aside.hardlink_to(path)
        # SQLite would take those of the damaged file for the new one's.
        remove_files(path.parent, [path.name + suffix for suffix in SIDECARS])
        fresh.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise RunStops(f"{path} cannot be replaced ({error.strerror}); see to the disk and repair again") from None
    finally:
        journal.close()
        remove_files(path.parent, [fresh.name + suffix for suffix in ("", *SIDECARS)])


def _salvaged(path: Path) -> Iterator[Line]:
    """The lines that are what was written, from both ends up to what cannot be read; some come twice."""
    for statement in FROM_BOTH_ENDS:
        # What lies behind a broken page is reached from the other end.
        with suppress(sqlite3.DatabaseError, UnicodeDecodeError), closing(_open(path)) as connection:
            for values in connection.execute(statement):
                if _is_whole(values):
                    yield Line(*(value.decode() for value in values))


def _is_whole(values: list[bytes]) -> bool:
    try:
        read_line(values)
    except ValueError:
        return False
    return True


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path)
    connection.text_factory = bytes
    return connection


def _has_answers(connection: sqlite3.Connection) -> bool:
    return bool(connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'answers'").fetchone())


def _in_one_line(told: bytes) -> str:
    return " ".join(told.decode(errors="replace").split())


def _check_segment(out: Location, path: str) -> Damage | None:
    try:
        read_segment(read_whole(out / path))
    except (OSError, ValueError):
        return Damage(path, "is damaged: it is not a whole segment")
    return None
