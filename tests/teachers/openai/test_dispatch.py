"""Servers that fail or lie, over real HTTP."""

from __future__ import annotations

import asyncio
import itertools
import logging
import socket
import threading
import time
from typing import Any

import pytest

from fanno_core.errors import RunStops, TryAgain
from fanno_core.teachers.openai import OpenAITeacher, exchange
from fanno_core.teachers.openai.dispatch import ATTEMPTS
from fanno_core.teachers.protocol import Answer, Request
from tests import stub_openai as stub
from tests.stub_openai import CANARY, SECRET, Fault, StubOpenAI
from tests.teachers.openai.asking import asked, question, teacher_of, verdict

PASSING: dict[str, Fault] = {
    "408": stub.status(408),
    "409": stub.status(409),
    "425": stub.status(425),
    "429": stub.status(429),
    "500": stub.status(500),
    "502": stub.status(502),
    "503": stub.status(503),
    "reset": stub.reset,
    "cut body": stub.cut_short,
    "cut JSON": stub.body(b'{"choices": [{"index'),
    "no object": stub.body(b"[]"),
    "HTML": stub.body(b"<html>welcome</html>", "text/html"),
    "no UTF-8": stub.body(b'{"choices": "\xff"}'),
    "no choices": stub.reply(),
    "two choices": stub.reply({"message": {"content": "a"}}, {"message": {"content": "b"}}),
    "odd choice": stub.body(b'{"choices": ["a"]}'),
    "odd content": stub.reply({"message": {"content": 7}}),
    "broken off": stub.reply({"message": {"content": "a"}, "finish_reason": "abort"}),
    "no answer": stub.hang,
    "slow drip": stub.drip,
    "endless": stub.flood,
}


def fields(answer: Answer) -> tuple[str, str]:
    return answer.text, answer.finish


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_what_passes_is_tried_again(server: StubOpenAI, fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "LIMIT_BYTES", 2**16)
    teacher = teacher_of(server, timeout_s=1.0)
    expected = asked(teacher, question())
    server.then(fault)
    assert asked(teacher, question()) == expected
    assert len(server.seen) == 3


def test_after_six_attempts_the_call_may_be_made_again(server: StubOpenAI, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    server.then(*stub.several(stub.status(429), ATTEMPTS))
    teacher = teacher_of(server)
    with pytest.raises(TryAgain, match=f"{server.url}: 429 Too Many Requests, 6 times") as failed:
        asked(teacher, question())
    assert len(server.seen) == ATTEMPTS
    assert CANARY not in str(failed.value) + caplog.text
    assert asked(teacher, question())[0].finish == "stop"


def test_one_request_that_fails_for_good_does_not_keep_the_others_from_their_answers(server: StubOpenAI) -> None:
    poisoned = question(3).text

    def respond(body: dict[str, Any], reply: dict[str, Any]) -> dict[str, Any]:
        return {} if body["messages"][0]["content"] == poisoned else reply

    server.respond = respond
    came: list[int] = []

    async def collect() -> None:
        async for place, _ in teacher_of(server, in_flight=4).answers([question(n) for n in range(40)]):
            came.append(place)

    with pytest.raises(TryAgain, match="exactly one choice"):
        asyncio.run(collect())
    assert sorted(came) == [n for n in range(40) if n != 3]


def test_a_server_that_only_fails_is_not_asked_everything(server: StubOpenAI) -> None:
    server.respond = lambda _body, _reply: {}
    with pytest.raises(TryAgain):
        asked(teacher_of(server, in_flight=4), *(question(n) for n in range(400)))
    assert len(server.seen) < 100


def test_a_quarter_of_faults_changes_no_answer(server: StubOpenAI) -> None:
    requests = [question(n) for n in range(300)] + [verdict(n) for n in range(100)]
    teacher = teacher_of(server)
    expected = asked(teacher, *requests)
    faults = itertools.cycle(
        [None, None, stub.status(500), None, None, None, stub.reset, None, None, None, None, stub.cut_short]
    )
    server.then(*itertools.islice(faults, 500))
    assert asked(teacher, *requests) == expected


def test_retry_after_is_obeyed_and_fewer_are_under_way(server: StubOpenAI) -> None:
    server.latency_s = 0.02
    teacher = teacher_of(server, in_flight=16)
    asked(teacher, *(question(n) for n in range(32)))
    assert server.most_in_flight == 16
    server.seen.clear()
    server.then(*stub.several(stub.status(429, Retry_After="0.6"), 16))
    asked(teacher, *(question(n) for n in range(16)))
    refused, later = server.seen[:16], server.seen[16:]
    assert later[0].at - refused[-1].at >= 0.59
    server.most_in_flight = 0
    asked(teacher, question(99), *(question(n) for n in range(8)))
    assert server.most_in_flight <= 8 + 2


@pytest.mark.parametrize(
    ("code", "hint"), [(401, "api_key"), (403, "key"), (404, "endpoints"), (307, "redirects"), (405, "405")]
)
def test_what_a_person_must_mend_stops_the_run(
    server: StubOpenAI, code: int, hint: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with StubOpenAI() as elsewhere:
        server.then(stub.status(code, f"{CANARY} {SECRET}", Location=f"{elsewhere.url}/chat/completions"))
        teacher = teacher_of(server)
        with pytest.raises(RunStops, match=hint) as stopped:
            asked(teacher, question())
        assert len(server.seen) == 1
        assert not elsewhere.seen
    assert server.url in str(stopped.value)
    for told in (str(stopped.value), repr(stopped.value), caplog.text, repr(vars(teacher))):
        assert SECRET not in told
        assert CANARY not in told


@pytest.mark.parametrize("code", [400, 413, 422])
def test_a_request_that_the_server_refuses_is_not_asked_again(server: StubOpenAI, code: int) -> None:
    server.then(stub.status(code))
    assert [fields(answer) for answer in asked(teacher_of(server, in_flight=1), question(), verdict())] == [
        ("", "refused"),
        ("1" if asked(teacher_of(server), verdict())[0].text == "1" else "0", "stop"),
    ]
    server.seen.clear()
    server.then(stub.status(code))
    assert asked(teacher_of(server), verdict())[0] == Answer("", "refused")
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    "content", [{"message": {"content": None}}, {"message": {}}, {"message": None}, {"message": {"content": ""}}, {}]
)
def test_no_content_is_an_empty_answer(server: StubOpenAI, content: dict[str, Any]) -> None:
    server.then(stub.reply(content))
    assert asked(teacher_of(server), question()) == [Answer("", "stop", None, 3)]
    server.then(stub.reply(content))
    assert asked(teacher_of(server), verdict()) == [Answer("", "stop", None, 3)]


def test_half_a_surrogate_pair_becomes_a_question_mark(server: StubOpenAI) -> None:
    server.then(stub.body(b'{"choices": [{"message": {"content": "a \\ud83d b"}}]}'))
    assert asked(teacher_of(server), question()) == [Answer("a ? b")]


def test_filtered_content_is_a_refusal(server: StubOpenAI) -> None:
    server.then(stub.reply({"message": {"content": "a"}, "finish_reason": "content_filter"}))
    assert fields(asked(teacher_of(server), question())[0]) == ("", "refused")


def test_a_dead_server_leaves_its_requests_to_the_other() -> None:
    with StubOpenAI(latency_s=0.01) as alive:
        with StubOpenAI(latency_s=0.01) as dying:
            teacher = teacher_of(alive, dying, in_flight=16)
            threading.Timer(0.1, lambda: dying.then(*stub.several(stub.reset, 1000))).start()
            started = time.monotonic()
            answers = asked(teacher, *(question(n, f"d{n // 10}") for n in range(300)))
        answers += asked(teacher, *(question(n, f"d{n}") for n in range(40)))
        assert all(answer.finish == "stop" for answer in answers)
        assert len(answers) == 340
        assert time.monotonic() - started < 5


def test_requests_wait_for_a_server_that_comes_back() -> None:
    with StubOpenAI() as first:
        teacher = teacher_of(first)
        expected = asked(teacher, question())
        port = first.port
    second = StubOpenAI(port=port)
    timer = threading.Timer(0.6, second.__enter__)
    timer.start()
    try:
        assert asked(teacher, *[question()] * 20) == expected * 20
    finally:
        timer.join()
        second.__exit__()


def test_after_a_long_outage_the_call_may_be_made_again() -> None:
    with StubOpenAI() as gone:
        teacher = teacher_of(gone)
    teacher._dispatch._watch._outage_s = 0.4
    started = time.monotonic()
    with pytest.raises(TryAgain, match="are they running"):
        asked(teacher, *(question(n) for n in range(300)))
    assert 0.4 < time.monotonic() - started < 4


def test_a_server_that_refuses_an_option_is_asked_without(server: StubOpenAI, caplog: pytest.LogCaptureFixture) -> None:
    server.then(stub.status(400, "logprobs is not supported"))
    teacher = teacher_of(server, in_flight=1)
    answers = asked(teacher, *(verdict(n) for n in range(5)))
    assert [answer.probability for answer in answers] == [None] * 5
    assert "0" in {answer.text for answer in answers}
    assert ["logprobs" in seen.body for seen in server.seen] == [True] + [False] * 5
    assert caplog.text.count("refuses logprobs") == 1


def test_a_server_may_not_know_structured_outputs(server: StubOpenAI) -> None:
    server.vllm, server.context = True, 4096
    server.then(stub.status(400, "Extra inputs are not permitted"))
    answers = asked(teacher_of(server, in_flight=1), verdict(), verdict(1))
    assert all(answer.probability is not None for answer in answers)
    assert ["structured_outputs" in seen.body for seen in server.seen] == [True, False, False]


def test_an_error_of_our_own_reaches_the_one_who_waits(server: StubOpenAI) -> None:
    unsendable = Request("r", "p@0", "\ud800", question().sampling)
    with pytest.raises(TypeError):
        asked(teacher_of(server), unsendable)


def test_no_server_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fanno_core.teachers.openai.opening.PATIENCE_S", 0.1)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    with pytest.raises(TryAgain, match="start the server"):
        OpenAITeacher([url])


def test_a_server_that_refuses_everything_stops_the_run(server: StubOpenAI) -> None:
    server.then(*[stub.status(400, "no chat template")] * 50)
    with pytest.raises(RunStops, match="refuses every request"):
        asked(teacher_of(server), *(question(n) for n in range(50)))


def test_a_server_that_refuses_some_rejects_those(server: StubOpenAI) -> None:
    asked(teacher := teacher_of(server), question(99))
    server.then(*[stub.status(400, "no")] * 20)
    answers = asked(teacher, *(question(n) for n in range(50)))
    assert [answer.finish for answer in answers].count("refused") == 20
