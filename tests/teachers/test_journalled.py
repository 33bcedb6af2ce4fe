from __future__ import annotations

import asyncio
import math
import sqlite3
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncGenerator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import strategies as st

from fanno_core.errors import RunStops, TryAgain
from fanno_core.outcome import Usage
from fanno_core.teachers.journal import Journal
from fanno_core.teachers.journalled import Journalled, request_key
from fanno_core.teachers.protocol import Answer, Identity, Request, Sampling, ask

IDENTITY = Identity("echo", "m", "r1")
ANSWERS = st.builds(
    Answer,
    text=st.text(st.characters(exclude_categories=["Cs"])),
    finish=st.sampled_from(["stop", "length", "context"]),
    probability=st.none() | st.floats(0, 1),
    prompt_tokens=st.integers(0, 10**6),
    completion_tokens=st.integers(0, 10**6),
)


class Echo:
    """A teacher that answers with the prompt and keeps what it was asked; the test may let it die on the way."""

    identity = IDENTITY
    needs_context = False

    def __init__(self, dies_after: float = math.inf) -> None:
        self.asked: list[str] = []
        self.dies_after = dies_after

    async def answers(self, requests: Sequence[Request]) -> AsyncGenerator[tuple[int, Answer]]:
        for place, request in enumerate(requests):
            if len(self.asked) >= self.dies_after:
                raise TryAgain("the teacher died")
            self.asked.append(request.text)
            yield place, Answer(f"re: {request.text}", prompt_tokens=2, completion_tokens=3, cached_tokens=1)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text) for text in texts]


def question(text: str) -> Request:
    return Request(f"row of {text}", "p@1", text, Sampling(8), document_id="d1")


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "answers.sqlite")


@pytest.mark.parametrize(
    "other",
    [
        replace(question("a"), text="b"),
        replace(question("a"), choices=("1", "0")),
        replace(question("a"), sampling=Sampling(9)),
        replace(question("a"), sampling=Sampling(8, temperature=0.5)),
        replace(question("a"), sampling=Sampling(8, top_p=0.5)),
        replace(question("a"), sampling=Sampling(8, seed=1)),
        replace(question("a"), bare=True),
    ],
)
def test_a_key_covers_what_an_answer_depends_on(other: Request) -> None:
    assert request_key(other, IDENTITY) != request_key(question("a"), IDENTITY)


def test_a_key_covers_the_teacher_but_not_the_row() -> None:
    key = request_key(question("a"), IDENTITY)
    assert request_key(question("a"), replace(IDENTITY, revision="r2")) != key
    assert (
        request_key(replace(question("a"), row_id="x", prompt="q", document_id="e", fields={"a": "b"}), IDENTITY) == key
    )
    assert request_key(replace(question("a"), sampling=Sampling(8, temperature=0, top_p=1)), IDENTITY) == key


def test_a_key_is_what_it_always_was() -> None:
    """Journals of old runs are looked into with it."""
    assert request_key(question("a"), IDENTITY) == "2e56ed51a6ff4068ac807a1f9df7126ff739b6c689c670b2edfaba7baf27c6de"


async def test_nothing_is_asked_twice(journal: Journal) -> None:
    first, second = Journalled(Echo(), journal), Journalled(teacher := Echo(), journal)
    requests = [question(text) for text in "abacb"]
    answers = await ask(first, requests)
    assert [answer.text for answer in answers] == ["re: a", "re: b", "re: a", "re: c", "re: b"]
    assert first.usage == Usage(calls=3, prompt_tokens=6, completion_tokens=9, cached_tokens=3)
    assert await ask(second, [*requests, question("d")]) == [*answers, Answer("re: d", "stop", None, 2, 3, 1)]
    assert teacher.asked == ["d"]
    assert second.usage == Usage(calls=1, prompt_tokens=2, completion_tokens=3, cached_tokens=1, replayed=3)
    assert second.usage.questions == 4


async def test_what_came_before_a_failure_is_not_asked_again(journal: Journal) -> None:
    requests = [question(f"{n:03}") for n in range(200)]
    with pytest.raises(TryAgain):
        await ask(Journalled(failed := Echo(dies_after=120), journal), requests)
    answers = await ask(Journalled(resumed := Echo(), journal), requests)
    assert [answer.text for answer in answers] == [f"re: {n:03}" for n in range(200)]
    assert failed.asked + resumed.asked == [f"{n:03}" for n in range(200)]


async def test_an_answer_is_written_down_before_it_is_used(journal: Journal) -> None:
    async for place, _ in Journalled(Echo(), journal).answers([question(str(n)) for n in range(100)]):
        assert journal.fetch([request_key(question(str(place)), IDENTITY)])


async def test_who_stops_listening_stops_the_teacher(journal: Journal) -> None:
    answers = Journalled(teacher := Echo(), journal).answers([question(str(n)) for n in range(1000)])
    await anext(answers)
    await answers.aclose()
    assert len(teacher.asked) < 500
    assert len(asyncio.all_tasks()) == 1


@pytest.mark.parametrize("damage", ["'{'", "'{\"text\": 3}'", "x'ff00'", '\'{"text": "a", "finish": "maybe"}\''])
async def test_a_damaged_answer_is_neither_used_nor_asked_again(journal: Journal, tmp_path: Path, damage: str) -> None:
    requests = [question("a"), question("b")]
    await ask(Journalled(Echo(), journal), requests)
    with sqlite3.connect(tmp_path / "answers.sqlite") as connection:
        connection.execute(f"UPDATE answers SET answer = {damage} WHERE row_id = 'row of a'")  # noqa: S608
    connection.close()
    teacher = Echo()
    with pytest.raises(RunStops, match="fanno verify OUT --repair"):
        await ask(Journalled(teacher, journal), requests)
    assert teacher.asked == []


def test_threads_share_a_journal(journal: Journal) -> None:
    def work(part: int) -> list[Answer]:
        return asyncio.run(ask(Journalled(Echo(), journal), [question(f"{n}") for n in range(part, part + 40)]))

    with ThreadPoolExecutor(8) as pool:
        for part, answers in zip(range(8), pool.map(work, range(8)), strict=True):
            assert [answer.text for answer in answers] == [f"re: {n}" for n in range(part, part + 40)]


def test_processes_share_a_file(tmp_path: Path) -> None:
    program = textwrap.dedent("""
        import asyncio, sys
        from pathlib import Path
        from fanno_core.teachers.journal import Journal
        from fanno_core.teachers.journalled import Journalled
        from fanno_core.teachers.protocol import ask
        from tests.teachers.test_journalled import Echo, question
        journalled = Journalled(Echo(), Journal(Path(sys.argv[1])))
        assert len(asyncio.run(ask(journalled, [question(str(n)) for n in range(100)]))) == 100
    """)
    command = [sys.executable, "-c", program, str(tmp_path / "answers.sqlite")]
    root = Path(__file__).parents[2]
    running = [subprocess.Popen(command, cwd=root, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    assert [process.communicate()[1] for process in running] == [""] * 4
    keys = [request_key(question(str(n)), IDENTITY) for n in range(100)]
    assert len(Journal(tmp_path / "answers.sqlite").fetch(keys)) == 100


async def test_twenty_thousand_answers_are_quick(journal: Journal) -> None:
    requests = [question(str(n)) for n in range(20_000)]
    start = time.perf_counter()
    await ask(Journalled(Echo(), journal), requests)
    # The target is 3 s; the slack is for machines that other work shares.
    assert time.perf_counter() - start < 10


async def test_a_refusal_is_not_kept(journal: Journal) -> None:
    class Refusing(Echo):
        async def answers(self, requests: Sequence[Request]) -> AsyncGenerator[tuple[int, Answer]]:
            for place, _ in enumerate(requests):
                yield place, Answer("", "refused")

    assert await ask(Journalled(Refusing(), journal), [question("a")]) == [Answer("", "refused")]
    (answer,) = await ask(Journalled(Echo(), journal), [question("a")])
    assert answer.text == "re: a"
