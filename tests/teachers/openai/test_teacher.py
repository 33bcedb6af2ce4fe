from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from pathlib import Path

import pytest

from fanno_core import settings
from fanno_core.errors import BadSettings, RunStops
from fanno_core.teachers.openai import OpenAITeacher
from fanno_core.teachers.openai.keys import find_key, provide
from fanno_core.teachers.protocol import ask
from fanno_core.teachers.table import open_teacher
from tests.stub_openai import SECRET, StubOpenAI
from tests.teachers.openai.asking import asked, question, teacher_of, verdict


def test_requests_start_in_order_and_never_more_than_allowed_at_a_time(server: StubOpenAI) -> None:
    server.latency_s = 0.01
    asked(teacher_of(server, in_flight=4), *(question(n) for n in range(40)))
    numbers = [int(seen.text.split()[1]) for seen in server.seen]
    assert sorted(numbers) == list(range(40))
    assert all(abs(number - place) < 4 for place, number in enumerate(numbers))
    assert server.most_in_flight == 4


def test_answers_come_before_all_are_there(server: StubOpenAI) -> None:
    async def first() -> int:
        server.latency_s = 0.02
        async with aclosing(teacher_of(server, in_flight=2).answers([question(n) for n in range(50)])) as answers:
            async for place, _ in answers:
                return place
        return -1

    assert asyncio.run(first()) in {0, 1}
    assert len(server.seen) < 20


def test_what_nobody_waits_for_is_cancelled(server: StubOpenAI) -> None:
    async def interrupted(teacher: object) -> None:
        task = asyncio.create_task(ask(teacher, [question(n) for n in range(100)]))  # type: ignore[arg-type]
        while server.in_flight < 8:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    server.latency_s = 30.0
    teacher = teacher_of(server, in_flight=8)
    asyncio.run(interrupted(teacher))
    deadline = time.monotonic() + 5
    while server.in_flight and time.monotonic() < deadline:
        time.sleep(0.01)
    assert (server.cancelled, len(server.seen)) == (8, 8)
    server.latency_s = 0.0
    assert asked(teacher, question(7))[0].text


def test_ending_at_any_moment_leaves_the_room_to_others(server: StubOpenAI) -> None:
    async def left_after(teacher: OpenAITeacher, steps: int) -> None:
        task = asyncio.create_task(ask(teacher, [question(n) for n in range(20)]))
        for _ in range(steps):
            await asyncio.sleep(0.001)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    teacher = teacher_of(server, in_flight=2)
    for steps in range(30):
        asyncio.run(left_after(teacher, steps % 6))
    assert len(asked(teacher, *(question(n) for n in range(20)))) == 20
    assert (teacher._dispatch._in_flight, len(teacher._dispatch._queue)) == (0, 0)


def test_threads_with_loops_of_their_own_share_it(server: StubOpenAI) -> None:
    server.latency_s = 0.01
    teacher = teacher_of(server, in_flight=6)
    alone = asked(teacher, *(question(n) for n in range(120)))
    server.most_in_flight = 0
    with ThreadPoolExecutor(4) as pool:
        parts = list(pool.map(lambda n: asked(teacher, *map(question, range(n, n + 30))), range(0, 120, 30)))
    assert [answer for part in parts for answer in part] == alone
    assert server.most_in_flight == 6


def test_a_document_stays_with_its_server() -> None:
    with StubOpenAI(latency_s=0.005) as one, StubOpenAI(latency_s=0.005) as two:
        teacher = teacher_of(one, two, in_flight=8)
        asked(teacher, *(question(n, f"d{n % 20}") for n in range(400)))
        shares = [Counter(seen.text.split()[-1] for seen in server.seen) for server in (one, two)]
    assert min(share.total() for share in shares) > 80
    assert sum(max(share[f"d{n}"] for share in shares) for n in range(20)) >= 0.9 * 400


def test_a_busy_server_leaves_requests_to_the_other() -> None:
    with StubOpenAI(latency_s=0.05) as one, StubOpenAI(latency_s=0.05) as two:
        asked(teacher_of(one, two, in_flight=40), *(question(n) for n in range(120)))
        assert sorted([one.most_in_flight, two.most_in_flight]) == [10, 30]


def test_it_takes_vllm_at_its_word_about_its_queue(server: StubOpenAI) -> None:
    server.vllm, server.context, server.latency_s, server.waiting = True, 4096, 0.02, 10_000
    teacher = teacher_of(server, in_flight=64)
    asked(teacher, *(question(n) for n in range(64 * 10)))
    assert teacher._dispatch._limiter.window < 64


def test_the_sampling_is_sent(server: StubOpenAI) -> None:
    asked(teacher_of(server), question(temperature=0.7), question(max_tokens=9))
    drawn, greedy = (seen.body for seen in server.seen)
    assert (drawn["temperature"], drawn["top_p"], drawn["seed"], drawn["max_tokens"]) == (0.7, 1.0, 0, 16)
    assert (greedy["temperature"], greedy["max_tokens"], "seed" in greedy) == (0.0, 9, False)


def test_tokens_are_reported(server: StubOpenAI) -> None:
    answer = asked(teacher_of(server), question(max_tokens=5))[0]
    assert (answer.prompt_tokens, answer.completion_tokens, answer.cached_tokens) == (5, 5, 2)
    assert answer.finish == "length"


def test_lengths_are_estimated_without_a_tokenizer(server: StubOpenAI) -> None:
    assert teacher_of(server).count_tokens(["", "four", "fours", "ĂĂĂ"]) == [0, 1, 2, 2]


def test_the_key_is_shown_to_the_server_and_to_nobody_else(server: StubOpenAI, monkeypatch: pytest.MonkeyPatch) -> None:
    asked(teacher_of(server), question())
    assert server.seen[0].headers["Authorization"] == f"Bearer {SECRET}"
    assert server.seen[0].headers["User-Agent"] == "fanno"
    monkeypatch.setenv("SOME_KEY", f" {SECRET}\n")
    assert (key := find_key("SOME_KEY")) and key.get_secret_value() == SECRET
    assert SECRET not in repr(key) + str(key)
    assert find_key("") is None
    assert find_key("NO_SUCH_VARIABLE") is None


def test_a_key_from_elsewhere_has_to_be_provided() -> None:
    with pytest.raises(RunStops, match="my-block"):
        find_key("prefect:my-block")
    provide("prefect:my-block", SECRET)
    assert (key := find_key("prefect:my-block")) and key.get_secret_value() == SECRET
    provide("prefect:bad", f"{SECRET}\nX-Other: 1")
    with pytest.raises(RunStops) as stopped:
        find_key("prefect:bad")
    assert SECRET not in str(stopped.value)


def test_settings_open_it_once(server: StubOpenAI) -> None:
    chosen = settings.Teacher(name="openai", endpoints=(server.url,), context_tokens=512)
    teacher = open_teacher(chosen)
    assert open_teacher(chosen.model_copy()) is teacher
    assert str(teacher.identity) == "openai/stub@unknown#server"
    assert teacher.identity.options == "chat to a server, 512 tokens, estimated, choices from 0.1"
    with pytest.raises(BadSettings, match="endpoints is empty"):
        open_teacher(settings.Teacher(name="openai"))


def test_a_process_ends_in_silence_with_requests_under_way(server: StubOpenAI) -> None:
    server.latency_s = 30.0
    program = f"""
import asyncio
from fanno_core.teachers.openai import OpenAITeacher
from tests.teachers.openai.asking import question
async def main():
    asking = aiter(teacher.answers([question(n) for n in range(9)]))
    try:
        await asyncio.wait_for(anext(asking), 0.3)
    except TimeoutError:
        pass
teacher = OpenAITeacher(["{server.url}"])
asyncio.run(main())
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=Path(__file__).parents[3], capture_output=True, text=True, timeout=30
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_verdict_needs_enough_probability(server: StubOpenAI) -> None:
    sure, unsure = teacher_of(server, min_choice_mass=0.5), teacher_of(server, min_choice_mass=0.9)
    assert asked(sure, verdict())[0].probability is not None
    unread = asked(unsure, verdict())[0]
    assert (unread.text, unread.probability, unread.completion_tokens) == ("", None, 1)
