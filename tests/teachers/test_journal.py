from __future__ import annotations

import os
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fanno_core.errors import RunStops
from fanno_core.outcome import Usage
from fanno_core.teachers.journal import Journal, JournalReader, line_of
from fanno_core.teachers.protocol import Answer, Identity, Request, Sampling

IDENTITY = Identity("echo", "m", "r1")
ANSWERS = st.builds(
    Answer,
    text=st.text(st.characters(exclude_categories=["Cs"])),
    finish=st.sampled_from(["stop", "length", "context"]),
    probability=st.none() | st.floats(0, 1),
    prompt_tokens=st.integers(0, 10**6),
    completion_tokens=st.integers(0, 10**6),
)


def ask(text: str) -> Request:
    return Request(f"row of {text}", "p@1", text, Sampling(8), document_id="d1")


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "answers.sqlite")


@given(answers=st.lists(ANSWERS, max_size=8))
@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_answers_come_back_exactly(tmp_path: Path, answers: list[Answer]) -> None:
    path = tmp_path / "exact.sqlite"
    path.unlink(missing_ok=True)
    journal = Journal(path)
    pairs = {f"k{n}": (ask("a"), answer) for n, answer in enumerate(answers)}
    journal.store(pairs)
    journal.close()
    assert journal.fetch([*pairs, "absent"]) == {key: answer for key, (_, answer) in pairs.items()}
    journal.close()


def test_a_journal_is_opened_at_first_use(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "answers.sqlite")
    assert not list(tmp_path.iterdir())
    assert journal.fetch(["k"]) == {}
    assert (tmp_path / "answers.sqlite").exists()


def test_the_first_answer_stands(journal: Journal) -> None:
    journal.store({"k": (ask("a"), Answer("first"))})
    assert journal.store({"k": (ask("a"), Answer("second"))}) == {"k": Answer("first")}


def test_a_file_that_is_no_journal_stops_the_run(tmp_path: Path) -> None:
    (tmp_path / "answers.sqlite").write_bytes(b"not a database, but long enough to be taken for one" * 100)
    with pytest.raises(RunStops, match="move it away"):
        Journal(tmp_path / "answers.sqlite").fetch(["k"])
    with pytest.raises(RunStops, match="folder"):
        Journal(tmp_path / "absent" / "answers.sqlite").fetch(["k"])


def test_an_answer_of_an_earlier_version_is_read(journal: Journal) -> None:
    journal.store({"new": (ask("a"), Answer("new", cached_tokens=9))})
    written = '{"text": "old", "finish": "stop", "probability": 0.25, "prompt_tokens": 3, "completion_tokens": 4}'
    journal.add([line_of("old", "row", "p@1", "d1", written)])
    assert journal.fetch(["old", "new"]) == {
        "old": Answer("old", "stop", 0.25, 3, 4),
        "new": Answer("new", cached_tokens=9),
    }


@pytest.mark.parametrize(
    "damage",
    [
        "answer = '{'",
        "answer = replace(answer, 'first a', 'First a')",
        "answer = x'ff00'",
        "answer = ''",
        "answer = 1.5",
        "row_id = 'other'",
        "prompt = 'p@2'",
        "document_id = 'd2'",
        "sha256 = upper(sha256)",
        "sha256 = (SELECT sha256 FROM answers WHERE key = 'b')",
    ],
)
def test_a_line_that_is_not_what_was_written_stops_the_run(journal: Journal, tmp_path: Path, damage: str) -> None:
    journal.store({key: (ask("a"), Answer(f"first {key}")) for key in "ab"})
    change(tmp_path / "answers.sqlite", f"UPDATE answers SET {damage} WHERE key = 'a'")  # noqa: S608
    told = rf"journal {tmp_path / 'answers.sqlite'} holds an answer that .*`fanno verify OUT --repair`"
    with pytest.raises(RunStops, match=told):
        journal.fetch("ab")
    with pytest.raises(RunStops, match=told):
        journal.store({"a": (ask("a"), Answer("second a"))})
    assert journal.fetch("b") == {"b": Answer("first b")}


def test_a_line_under_the_key_of_another_question_stops_the_run(journal: Journal, tmp_path: Path) -> None:
    journal.store({key: (ask("a"), Answer(f"first {key}")) for key in "ab"})
    change(tmp_path / "answers.sqlite", "DELETE FROM answers WHERE key = 'b'")
    change(tmp_path / "answers.sqlite", "UPDATE answers SET key = 'b'")
    with pytest.raises(RunStops, match="not what was written down"):
        journal.fetch("b")


def test_a_journal_without_digests_is_refused_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "answers.sqlite"
    change(path, "CREATE TABLE answers (key TEXT PRIMARY KEY, row_id, prompt, document_id, answer)")
    with pytest.raises(RunStops, match="of another version of FANNO; `fanno verify OUT --repair`"):
        Journal(path).fetch("a")


def change(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


def test_a_journal_without_a_file_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    journal = Journal(None)
    journal.store({"k": (ask("a"), Answer("kept"))})
    assert journal.fetch(["k"]) == {"k": Answer("kept")}
    journal.close()
    assert journal.fetch(["k"]) == {}
    assert not list(tmp_path.iterdir())


def test_threads_add_to_one_journal(journal: Journal) -> None:
    def work(part: int) -> dict[str, Answer]:
        return journal.store({str(n): (ask("a"), Answer(f"{part}")) for n in range(part, part + 20)})

    with ThreadPoolExecutor(8) as pool:
        held = list(pool.map(work, range(8)))
    now = journal.fetch(str(n) for n in range(27))
    assert len(now) == 27
    assert all(now[key] == answer for part in held for key, answer in part.items())


def test_two_thousand_answers_in_forty_calls_are_cheap(journal: Journal) -> None:
    calls = [
        {f"{call}-{n}": (ask("a"), Answer("word " * 60, "stop", 0.5, 400, 60)) for n in range(50)} for call in range(40)
    ]
    start = time.process_time()
    for answered in calls:
        journal.store(answered)
    # 10 us an answer were measured; the slack is for slow machines.
    assert (time.process_time() - start) / 2000 < 100e-6


@pytest.mark.parametrize("writable", [True, False])
def test_a_reader_finds_what_is_there_and_leaves_nothing(
    journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writable: bool
) -> None:
    journal.store({"k": (ask("a"), Answer("one")), "l": (ask("a"), Answer("two")), "m": (ask("b"), Answer("three"))})
    journal.close()
    monkeypatch.setattr(os, "access", lambda *_: writable)
    reader = JournalReader(tmp_path / "answers.sqlite")
    before = (tmp_path / "answers.sqlite").read_bytes()
    assert reader.fetch(["k", "absent"]) == {"k": Answer("one")}
    assert reader.about("row of a", "p@1") == [Answer("one"), Answer("two")]
    assert reader.about("row of a", "p@2") == []
    assert [path.name for path in tmp_path.iterdir()] == ["answers.sqlite"]
    assert (tmp_path / "answers.sqlite").read_bytes() == before


def test_a_reader_reads_while_the_journal_is_written(journal: Journal, tmp_path: Path) -> None:
    journal.store({"k": (ask("a"), Answer("one"))})
    assert JournalReader(tmp_path / "answers.sqlite").fetch(["k"]) == {"k": Answer("one")}
    journal.store({"l": (ask("a"), Answer("two"))})
    assert journal.about("row of a", "p@1") == [Answer("one"), Answer("two")]


def test_a_reader_passes_over_an_answer_that_cannot_be_read_and_leaves_it(journal: Journal, tmp_path: Path) -> None:
    journal.store({"k": (ask("a"), Answer("one"))})
    journal.close()
    path = tmp_path / "answers.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE answers SET answer = '{'")
    assert JournalReader(path).fetch(["k"]) == {}
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM answers").fetchone() == (1,)


def test_a_reader_adds_up_what_each_prompt_took(journal: Journal, tmp_path: Path) -> None:
    taken = {
        "a": Answer("x", prompt_tokens=10, completion_tokens=3, cached_tokens=4),
        "b": Answer("y", "length", None, 5),
    }
    sent = {key: (ask(key), answer) for key, answer in taken.items()}
    other = Request("row", "q@1", "c", Sampling(8))
    not_sent = (Request("row", "q@1", "d", Sampling(8)), Answer("", "context", prompt_tokens=99))
    journal.store(sent | {"c": (other, Answer("z", completion_tokens=2)), "d": not_sent})
    journal.close()
    found = JournalReader(tmp_path / "answers.sqlite").asked()
    assert found == {"p@1": Usage(2, 15, 3, 4), "q@1": Usage(1, 0, 2, 0)}


def test_a_reader_makes_no_journal_where_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"no journal at all, and longer than a header of SQLite would be")
    for name in ("absent", "other"):
        with pytest.raises(RunStops, match="cannot be read"):
            JournalReader(tmp_path / name).fetch(["k"])
    assert [path.name for path in tmp_path.iterdir()] == ["other"]


def test_rows_are_found_through_an_index(journal: Journal, tmp_path: Path) -> None:
    journal.store({"k": (ask("a"), Answer("one"))})
    with sqlite3.connect(tmp_path / "answers.sqlite") as connection:
        plan = connection.execute("EXPLAIN QUERY PLAN SELECT answer FROM answers WHERE row_id = 'r' AND prompt = 'p'")
        assert "USING INDEX answers_of_row" in plan.fetchone()[3]
