from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from fanno_core.errors import RunStops
from fanno_core.store.durable import names_in, read_whole, remove_files, write_durably
from fanno_core.store.location import Location, open_location
from fanno_core.store.verify import Damage
from fanno_core.teachers.answer_journal import FILE, open_journal
from fanno_core.teachers.journal import Journal
from fanno_core.teachers.object_journal import _copy_of, read_segment, whole_lines
from fanno_core.teachers.protocol import Answer, Request, Sampling
from fanno_core.teachers.verify import PATH, check_journal, mend_journal

SET_ASIDE = f"{FILE}.damaged"
ANSWERS = {f"{n:064x}": Answer(f"answer {n} " + "word " * 200, prompt_tokens=n) for n in range(400)}


def filled(out: Location) -> None:
    keys = list(ANSWERS)
    fill(out, [{key: ANSWERS[key] for key in some} for some in (keys[:300], keys[300:])])


def fill(out: Location, groups: list[dict[str, Answer]]) -> None:
    if isinstance(out, Path):
        (out / "work").mkdir(parents=True)
    journal = open_journal(out)
    for group in groups:
        journal.store({key: (Request("row", "p@1", "text", Sampling(8)), answer) for key, answer in group.items()})
    journal.close()


def known(out: Path) -> dict[str, Answer]:
    journal = Journal(out / PATH)
    try:
        return journal.fetch(ANSWERS)
    finally:
        journal.close()


def test_a_whole_journal_and_none_have_no_damage(anywhere: Location) -> None:
    assert check_journal(anywhere) == []
    filled(anywhere)
    assert check_journal(anywhere) == []


def test_a_killed_writers_empty_file_is_no_damage(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / PATH).touch()
    assert check_journal(tmp_path) == []


@pytest.mark.parametrize("damage", ["answer = CAST(x'ff00' AS TEXT)", "answer = replace(answer, 'word', 'ward')"])
def test_an_answer_that_is_not_what_was_written_is_named_and_taken_out(tmp_path: Path, damage: str) -> None:
    filled(tmp_path)
    key = list(ANSWERS)[7]
    with closing(sqlite3.connect(tmp_path / PATH)) as connection, connection:
        connection.execute(f"UPDATE answers SET {damage} WHERE key = ?", [key])  # noqa: S608
    assert check_journal(tmp_path) == [Damage(PATH, "holds an answer that is not what was written down, in row 8")]
    mend_journal(tmp_path)
    assert check_journal(tmp_path) == []
    assert known(tmp_path) == {other: answer for other, answer in ANSWERS.items() if other != key}
    assert [file.name for file in (tmp_path / "work").iterdir()] == ["journal.sqlite"]


def test_a_shared_journal_is_checked_and_mended_too(tmp_path: Path) -> None:
    filled(tmp_path)
    shared = tmp_path / "shared.sqlite"
    (tmp_path / PATH).rename(shared)
    with closing(sqlite3.connect(shared)) as connection, connection:
        connection.execute("UPDATE answers SET prompt = 'p@2' WHERE rowid < 3")
    assert [damage.path for damage in check_journal(tmp_path, str(shared))] == [str(shared)] * 2
    mend_journal(tmp_path, str(shared))
    assert check_journal(tmp_path, str(shared)) == []
    journal = Journal(shared)
    assert len(journal.fetch(ANSWERS)) == len(ANSWERS) - 2
    journal.close()


@pytest.mark.parametrize("data", [b"a letter " * 1000, b""])
def test_a_shared_file_that_is_no_journal_is_left_alone(tmp_path: Path, data: bytes) -> None:
    shared = tmp_path / "letter.txt"
    shared.write_bytes(data)
    assert len(check_journal(tmp_path, str(shared))) == bool(data)
    mend_journal(tmp_path, str(shared))
    assert list(tmp_path.iterdir()) == [shared]
    assert shared.read_bytes() == data
    assert check_journal(tmp_path, str(tmp_path / "absent")) == []


def test_a_journal_of_another_version_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    with closing(sqlite3.connect(tmp_path / PATH)) as connection, connection:
        connection.execute("CREATE TABLE answers (key TEXT PRIMARY KEY, answer TEXT NOT NULL)")
        connection.execute("INSERT INTO answers VALUES ('k', 'a')")
    (damage,) = check_journal(tmp_path)
    assert damage.what == "is damaged: it is not a table of answers as this version makes it"
    mend_journal(tmp_path)
    assert check_journal(tmp_path) == []
    assert (tmp_path / "work" / SET_ASIDE).exists()


def test_a_broken_page_costs_the_answers_around_it(tmp_path: Path) -> None:
    filled(tmp_path)
    path = tmp_path / PATH
    data = bytearray(path.read_bytes())
    middle = len(data) // 2 // 4096 * 4096
    data[middle : middle + 4096] = random.Random(1).randbytes(4096)
    path.write_bytes(data)
    (damage,) = check_journal(tmp_path)
    assert damage.path == PATH
    mend_journal(tmp_path)
    assert check_journal(tmp_path) == []
    kept = known(tmp_path)
    assert kept.items() <= ANSWERS.items()
    assert len(kept) > len(ANSWERS) / 2
    assert path.with_name(SET_ASIDE).read_bytes() == data
    assert sorted(file.name for file in path.parent.iterdir()) == ["journal.sqlite", "journal.sqlite.damaged"]


def test_a_file_that_is_no_journal_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / PATH).write_bytes(b"no journal at all" * 1000)
    (damage,) = check_journal(tmp_path)
    assert "not a database" in damage.what
    mend_journal(tmp_path)
    assert check_journal(tmp_path) == []
    assert known(tmp_path) == {}


def test_two_hundred_flipped_bits(tmp_path: Path) -> None:
    """Each is noticed on reading or by the check, or changes no answer; what is mended holds no wrong one."""
    few = {key: ANSWERS[key] for key in list(ANSWERS)[:50]}
    fill(tmp_path, [few])
    path, rng = tmp_path / PATH, random.Random(11)
    whole = path.read_bytes()
    noticed = 0
    for _ in range(200):
        data = bytearray(whole)
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        path.write_bytes(data)
        damages = check_journal(tmp_path)
        assert path.read_bytes() == data
        noticed += bool(damages)
        try:
            read = known(tmp_path)
        except RunStops as error:
            assert damages, "what stops a run is named"
            assert "fanno verify OUT --repair" in str(error)
        else:
            assert read.items() <= few.items()
            assert damages or read == few
        path.write_bytes(data)
        mend_journal(tmp_path)
        assert check_journal(tmp_path) == []
        assert known(tmp_path).items() <= few.items()
        remove_files(path.parent, [path.name, path.name + "-wal", path.name + "-shm"])
    assert noticed > 100


def test_two_hundred_flipped_bits_in_segments(bucket: str) -> None:
    out = open_location(f"{bucket}/out")
    few = list(ANSWERS)[:50]
    fill(out, [{key: ANSWERS[key] for key in few[start : start + 10]} for start in range(0, 50, 10)])
    segments, rng = out / "work" / "journal", random.Random(11)
    for _ in range(200):
        path = segments / rng.choice(names_in(segments))
        whole = read_whole(path)
        data = bytearray(whole)
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        with pytest.raises(ValueError, match="not a whole segment"):
            read_segment(bytes(data))
        kept = whole_lines(bytes(data))
        # A flip in a line costs that line, and one in what parts two lines costs both.
        assert set(kept) <= set(read_segment(whole))
        assert len(kept) >= len(read_segment(whole)) - 2


def test_a_damaged_segment_is_named_and_loses_just_what_is_damaged(bucket: str) -> None:
    out = open_location(f"{bucket}/out")
    filled(out)
    segment = out / "work" / "journal" / "00000002.jsonl"
    write_durably(segment, read_whole(segment).replace(b"answer 350 ", b"answer 351 "))
    assert check_journal(out) == [Damage("work/journal/00000002.jsonl", "is damaged: it is not a whole segment")]
    mend_journal(out)
    assert check_journal(out) == []
    _copy_of.cache_clear()
    assert open_journal(out).fetch(ANSWERS).keys() == ANSWERS.keys() - {list(ANSWERS)[350]}
