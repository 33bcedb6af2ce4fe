from __future__ import annotations

import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fanno_core.errors import RunStops, TryAgain
from fanno_core.store.durable import names_in, read_whole, remove_files, write_durably
from fanno_core.store.location import Location, open_location
from fanno_core.teachers import object_journal
from fanno_core.teachers.answer_journal import AnswerJournal, open_journal
from fanno_core.teachers.object_journal import _copy_of
from fanno_core.teachers.protocol import Answer, Request, Sampling

ROOT = Path(__file__).parents[2]
ASKED = Request("row", "p@1", "why?", Sampling(8), document_id="d1")


@pytest.fixture
def out(bucket: str) -> Location:
    return open_location(f"{bucket}/out")


def segments(out: Location) -> list[str]:
    return names_in(out / "work" / "journal")


def anew(out: Location) -> AnswerJournal:
    """The journal as a process sees it that has read nothing yet."""
    _copy_of.cache_clear()
    return open_journal(out)


def answers(*keys: str, text: str = "because") -> dict[str, tuple[Request, Answer]]:
    return {key: (ASKED, Answer(f"{text} {key}", prompt_tokens=3)) for key in keys}


def told(journal: AnswerJournal, *keys: str) -> dict[str, str]:
    return {key: answer.text for key, answer in journal.fetch(keys).items()}


def test_answers_come_back_exactly(anywhere: Location) -> None:
    write_durably(anywhere / "work" / "lock", b"")  # the journal's folder is made by the run that owns it
    journal = open_journal(anywhere)
    written = {
        "a": (ASKED, Answer("\x00 \ud7ff\u2028 \U0001f41d\n\r", "length", 0.1 + 0.2, 7, 8)),
        "b": (ASKED, Answer("", "context")),
    }
    assert journal.fetch(["a", "b"]) == {}
    assert journal.store({}) == {}
    assert journal.store(written) == {key: answer for key, (_, answer) in written.items()}
    journal.close()
    assert anew(anywhere).fetch(["a", "b", "absent"]) == {key: answer for key, (_, answer) in written.items()}


@pytest.mark.parametrize("answer", [Answer("x", probability=float("nan")), Answer("\ud800"), Answer("x", "maybe")])  # type: ignore[arg-type]
def test_an_answer_that_would_not_read_the_same_is_not_written(anywhere: Location, answer: Answer) -> None:
    write_durably(anywhere / "work" / "lock", b"")
    journal = open_journal(anywhere)
    with pytest.raises(RunStops, match="does not read as it was written"):
        journal.store(answers("a") | {"b": (ASKED, answer)})
    assert journal.fetch(["a", "b"]) == {}


def test_a_store_is_one_segment_and_nothing_is_put_for_nothing(out: Location) -> None:
    journal = open_journal(out)
    for number in range(3):
        journal.store(answers(*(f"{number}-{n}" for n in range(50))))
    journal.store({})
    assert segments(out) == ["00000001.jsonl", "00000002.jsonl", "00000003.jsonl"]


def test_the_first_answer_stands_for_everybody(out: Location) -> None:
    first, second = open_journal(out), anew(out)
    assert first.store(answers("k", text="first")) == {"k": Answer("first k", prompt_tokens=3)}
    held = second.store(answers("k", "l", text="second"))
    assert {key: answer.text for key, answer in held.items()} == {"k": "first k", "l": "second l"}
    assert told(first, "k", "l") == told(anew(out), "k", "l") == {"k": "first k", "l": "second l"}


def test_writers_that_meet_agree(out: Location) -> None:
    def write(writer: int) -> dict[str, str]:
        # A copy for each writer, as processes have them.
        copy = object_journal._Copy()
        journal = object_journal.ObjectJournal(out / "work" / "journal")
        with copy.lock:
            journal._append(copy, object_journal.segment_bytes(object_journal.lines_of(answers("k", text=f"{writer}"))))
        return {"k": copy.answers.store(answers("k", text=f"{writer}"))["k"].text}

    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(write, range(8)))
    assert segments(out) == [f"{n:08d}.jsonl" for n in range(1, 9)]
    assert seen == [told(anew(out), "k")] * 8


def test_processes_see_each_others_answers(out: Location) -> None:
    program = textwrap.dedent("""
        import sys
        from fanno_core.store.location import open_location
        from fanno_core.teachers.answer_journal import open_journal
        from tests.teachers.test_object_journal import answers
        journal = open_journal(open_location(sys.argv[1]))
        for n in range(10):
            journal.store(answers(f"mine {sys.argv[2]} {n}", f"both {n}", text=sys.argv[2]))
        print(sorted((key, a.text) for key, a in journal.fetch(f"both {n}" for n in range(10)).items()))
    """)
    journal = open_journal(out)
    assert told(journal, "both 0") == {}
    commands = [[sys.executable, "-c", program, str(out), name] for name in ("one", "two")]
    running = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for command in commands]
    one, two = [process.communicate()[0] for process in running]
    assert one == two == f"{sorted(told(journal, *(f'both {n}' for n in range(10))).items())}\n"
    assert len(told(journal, *(f"mine {name} {n}" for name in ("one", "two") for n in range(10)))) == 20
    assert len(segments(out)) == 20


def test_a_long_journal_is_read_page_by_page(out: Location, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "3")
    monkeypatch.setattr(object_journal, "SEGMENTS_AT_ONCE", 2)
    for number in range(10):
        open_journal(out).store(answers(f"{number}"))
    assert len(told(anew(out), *map(str, range(10)))) == 10


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "other"])
def test_a_damaged_segment_stops_the_run_and_is_named(out: Location, damage: str) -> None:
    journal = open_journal(out)
    for number in range(3):
        journal.store(answers(f"{number}"))
    path = out / "work" / "journal" / segments(out)[1]
    whole = read_whole(path)
    flipped = bytearray(whole)
    flipped[-20] ^= 1
    write_durably(path, {"cut": whole[:-1], "flip": bytes(flipped), "empty": b"", "other": b"[1]\n2"}[damage])
    with pytest.raises(RunStops, match=f"{path} is not what was written down; `fanno verify OUT --repair`"):
        anew(out).fetch(["0"])


def test_a_segment_that_is_gone_is_asked_again(out: Location) -> None:
    journal = open_journal(out)
    for number in range(3):
        journal.store(answers(f"{number}"))
    remove_files(out / "work" / "journal", [segments(out)[1]])
    journal = anew(out)
    assert set(told(journal, "0", "1", "2")) == {"0", "2"}
    journal.store(answers("1", text="again"))
    assert told(anew(out), "0", "1", "2") == {"0": "because 0", "1": "again 1", "2": "because 2"}


def test_what_others_put_beside_the_segments_is_passed_over(out: Location) -> None:
    for name in ("00000000.jsonl", "notes.txt", "00000001.json", "zzz"):
        write_durably(out / "work" / "journal" / name, b"not ours")
    journal = open_journal(out)
    journal.store(answers("a"))
    assert told(anew(out), "a") == {"a": "because a"}


def test_writers_that_never_get_through_say_so(out: Location, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_journal, "create_object", lambda *_: None)
    monkeypatch.setattr(object_journal, "PAUSE_S", 0.0)
    monkeypatch.setattr(object_journal, "MOST_TRIES", 3)
    with pytest.raises(TryAgain, match="no segment could be added"):
        open_journal(out).store(answers("a"))
    assert told(anew(out), "a") == {}
