from __future__ import annotations

from typing import Any

import pytest

from fanno_core.errors import RunStops
from fanno_core.teachers.protocol import Request, Sampling
from tests.stub_openai import StubOpenAI, status
from tests.teachers.openai.asking import asked, long_question, question, teacher_of, verdict


def respond_with(*tops: tuple[str, float | str | None]) -> Any:
    def respond(_body: dict[str, Any], reply: dict[str, Any]) -> dict[str, Any]:
        named = [{"token": token, "logprob": value} for token, value in tops]
        reply["choices"][0]["logprobs"] = {"content": [{**named[0], "top_logprobs": named}]}
        return reply

    return respond


@pytest.mark.parametrize(
    ("tops", "expected"),
    [
        ([("1", -0.1), ("0", -3.0)], ("1", 0.947846)),
        ([(" 1", -0.9), ("1", -1.2), ("0\n", -3.0)], ("1", 0.934279)),
        ([("0", -0.2), ("maybe", -1.8)], ("0", 0.0)),
        ([("maybe", -0.01), ("1", -5.0), ("0", -6.0)], ("", None)),
        ([("maybe", -0.01)], ("", None)),
        ([("1", "often"), ("0", None)], ("", None)),
        ([("1", float("nan")), ("0", -9999.0)], ("", None)),
        ([("1", 700.0), ("0", -0.7)], ("1", 0.668188)),
    ],
)
def test_a_verdict_is_read_from_the_first_token(
    server: StubOpenAI, tops: list[tuple[str, float]], expected: tuple[str, float | None]
) -> None:
    server.respond = respond_with(*tops)
    answer = asked(teacher_of(server), verdict())[0]
    assert (answer.text, answer.probability) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("1", "1"), (" 0\n", "0"), ("**1**", ""), ("Yes", ""), ("10", ""), ("", ""), (None, "")]
)
@pytest.mark.parametrize("told", [None, {}, {"content": None}, {"content": []}, {"content": ["?"]}, "?"])
def test_without_probabilities_only_a_bare_choice_counts(
    server: StubOpenAI, text: str | None, expected: str, told: object
) -> None:
    def respond(_body: dict[str, Any], reply: dict[str, Any]) -> dict[str, Any]:
        reply["choices"][0] |= {"logprobs": told, "message": {"content": text}}
        return reply

    server.respond = respond
    answer = asked(teacher_of(server), verdict())[0]
    assert (answer.text, answer.probability) == (expected, None)


def test_what_is_sent_for_a_verdict(server: StubOpenAI) -> None:
    asked(teacher_of(server), verdict())
    sent = server.seen[-1].body
    assert (sent["max_tokens"], sent["temperature"], sent["logprobs"], sent["top_logprobs"]) == (1, 0.0, True, 20)
    assert not {"structured_outputs", "top_k"} & sent.keys()
    server.vllm, server.context = True, 4096
    asked(teacher_of(server), verdict())
    assert server.seen[-1].body["structured_outputs"] == {"choice": ["1", "0"]}
    assert server.seen[-1].body["repetition_penalty"] == 1.0


def test_a_long_document_is_cut_by_the_servers_numbers(server: StubOpenAI) -> None:
    server.vllm, server.context = True, 500
    answer = asked(teacher_of(server), long_question(8000))[0]
    assert answer.finish == "stop"
    assert 400 < answer.prompt_tokens <= 500 - 64
    assert answer.cut_tokens == 2005 - answer.prompt_tokens
    assert len(server.seen) == 2
    text = server.seen[-1].text
    assert text.startswith("Read this. www")
    assert text.endswith("w Now ask.")


def test_numbers_that_are_no_tokens_are_not_taken_for_them(server: StubOpenAI) -> None:
    server.vllm, server.context = True, 500
    server.then(status(400, "maximum context length is 500 tokens. However, your prompt contains 80020 characters"))
    answer = asked(teacher_of(server), long_question(80_000))[0]
    assert answer.finish == "stop"
    assert 400 < answer.prompt_tokens <= 500 - 64
    assert len(server.seen) == 2


def test_a_long_answer_gets_the_room_that_is_left(server: StubOpenAI) -> None:
    server.vllm, server.context = True, 500
    answer = asked(teacher_of(server), question(max_tokens=2048))[0]
    assert (answer.finish, answer.cut_tokens) == ("stop", 0)
    assert server.seen[-1].body["max_tokens"] == 500 - answer.prompt_tokens


def test_a_server_without_numbers_is_sent_less_and_less(server: StubOpenAI) -> None:
    def respond(body: dict[str, Any], reply: dict[str, Any]) -> dict[str, Any]:
        if len(body["messages"][0]["content"]) > 900:
            server.script.append(status(400, "prompt is too long"))
        return reply

    server.then(*[status(400, "prompt is too long")] * 3)
    answer = asked(teacher_of(server), long_question(2000))[0]
    assert answer.finish == "stop"
    assert len(server.seen) == 4
    assert len(server.seen[-1].text) == pytest.approx(2000 * 0.7**3, abs=30)
    assert answer.cut_tokens == pytest.approx(2000 * (1 - 0.7**3) / 4, abs=4)


def test_a_prompt_that_stays_too_long_is_answered_as_such(server: StubOpenAI) -> None:
    server.then(*[status(400, "prompt is too long")] * 20)
    assert asked(teacher_of(server), long_question(2000))[0].finish == "context"
    assert len(server.seen) == 7
    server.script.clear()
    server.then(status(400, "context_length_exceeded"))
    assert asked(teacher_of(server), question())[0].finish == "context"


def test_where_the_setting_names_the_context_a_prompt_is_cut_before_it_is_sent(server: StubOpenAI) -> None:
    answer = asked(teacher_of(server, context_tokens=300), long_question(4000))[0]
    assert answer.finish == "stop"
    assert answer.prompt_tokens <= 300 - 64
    assert answer.cut_tokens > 700
    assert len(server.seen) == 1


@pytest.mark.parametrize("vllm", [True, False])
def test_a_user_s_turn_cannot_be_put_into_messages(server: StubOpenAI, vllm: bool) -> None:
    server.vllm, server.context = vllm, 400
    teacher = teacher_of(server)
    assert not teacher.can_continue
    with pytest.raises(RunStops, match=r"every server of teacher\.endpoints is vLLM and teacher\.tokenizer is set"):
        asked(teacher, Request("r", "turn", "", Sampling(64), bare=True))
    assert not server.seen
