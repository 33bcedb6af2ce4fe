"""Answers that are forgotten are in no page of the journal's file, and the others are as they were."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from fanno_core.errors import RunStops
from fanno_core.refresh.passages import Passages
from fanno_core.refresh.traces import holding, traces
from fanno_core.teachers import forget_journal
from fanno_core.teachers.forget_journal import forget_answers
from fanno_core.teachers.journal import Journal
from fanno_core.teachers.protocol import Answer, Request, Sampling

TEXT = 'The heron of Quillhaven "waits" on one leg, silent & grey; nobody — not even Zoë — has seen it fly.\nNobody.'
PASSAGES = Passages([TEXT])


def ask(row_id: str, document_id: str = "") -> Request:
    return Request(row_id, "p@1", "prompt", Sampling(8), document_id=document_id)


def written(path: Path) -> dict[str, Answer]:
    """A journal of many answers: keys to those that are to stay."""
    staying = {f"s{n}": (ask(f"r{n}", f"d{n}"), Answer(f"answer {n} " + "of no importance " * 40)) for n in range(50)}
    leaving = {
        "a": (ask("row-1", "gone"), Answer(f"about it: {TEXT}")),
        "b": (ask("gone"), Answer("1", probability=0.5)),
        "c": (ask("gone-row", "d1"), Answer("an answer to what goes")),
        "d": (ask("r3", "d3"), Answer(f"quotes it: {TEXT[20:75]}")),
    }
    journal = Journal(path)
    journal.store(staying | leaving)
    journal.close()
    return {key: answer for key, (_, answer) in staying.items()}


def forget(path: Path) -> int:
    return forget_answers(path, {"gone"}, {"gone-row"}, lambda values: holding(values, PASSAGES))


def test_answers_about_it_and_answers_that_quote_it_go(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    staying = written(path)
    assert traces(tmp_path, PASSAGES)
    assert forget(path) == 4
    journal = Journal(path)
    assert journal.fetch([*staying, "a", "b", "c", "d"]) == staying
    journal.close()
    assert traces(tmp_path, PASSAGES) == []
    assert forget(path) == 0


def test_pages_that_were_freed_before_are_cleared_too(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    written(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA secure_delete = OFF")
        connection.execute("DELETE FROM answers")
    assert traces(tmp_path, PASSAGES)
    assert forget(path) == 0
    assert traces(tmp_path, PASSAGES) == []


def test_a_reader_at_work_is_waited_for_and_then_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "journal.sqlite"
    written(path)
    monkeypatch.setattr(forget_journal, "BUSY_TIMEOUT_S", 0.1)
    with closing(sqlite3.connect(path)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM answers").fetchone()
        with pytest.raises(RunStops, match="cannot be cleared"):
            forget(path)
    assert forget(path) == 0
    assert traces(tmp_path, PASSAGES) == []


def test_no_journal_and_no_sqlite_file(tmp_path: Path) -> None:
    assert forget(tmp_path / "journal.sqlite") == 0
    (tmp_path / "journal.sqlite").write_text(
        "this is no database, and it is longer than a header of one would be. " * 9
    )
    with pytest.raises(RunStops, match="cannot be cleared"):
        forget(tmp_path / "journal.sqlite")
