from __future__ import annotations

from datetime import UTC, datetime

import pytest

from fanno_core.errors import RunStops
from fanno_core.teachers.openai.faults import LONGEST_REST_S, Passing, TooLong, Unfit, fault, retry_after

NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize("code", [408, 409, 425, 429, 500, 502, 503, 504, 529, 599])
def test_these_pass(code: int) -> None:
    found = fault(code, {}, b"secret", "http://h/v1")
    assert isinstance(found, Passing)
    assert str(code) in found.what
    assert found.overloaded == (code in {429, 503})


@pytest.mark.parametrize("code", [301, 302, 307, 308, 401, 402, 403, 404, 405])
def test_these_stop_the_run_and_quote_nothing(code: int) -> None:
    found = fault(code, {"Location": "http://gone.example"}, b"secret", "http://h/v1")
    assert isinstance(found, RunStops)
    assert "http://h/v1" in str(found)
    assert "secret" not in str(found)
    assert "gone.example" not in str(found)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        # vLLM 0.32, twice; OpenAI; llama.cpp; TGI; Mistral's platform
        (
            "This model's maximum context length is 1024 tokens. However, your prompt contains 1500 input tokens",
            TooLong(1024, 1500),
        ),
        (
            "maximum context length is 1024 tokens. However, your prompt contains at least 977 input tokens",
            TooLong(1024, 0),
        ),
        (
            "This model's maximum context length is 1024 tokens. However, your prompt contains 99999 characters (more",
            TooLong(1024, 0),
        ),
        (
            "This model's maximum context length is 4097 tokens. However, you requested 5000 tokens (4488 in the "
            "messages, 512 in the completion).",
            TooLong(4097, 4488),
        ),
        (
            '{"error":{"message":"it exceeds the available context size","n_prompt_tokens":1300,"n_ctx":1024}}',
            TooLong(1024, 1300),
        ),
        (
            "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000 `inputs` tokens",
            TooLong(4096, 5000),
        ),
        ("Prompt is too long", TooLong()),
    ],
)
@pytest.mark.parametrize("code", [400, 413, 422])
def test_a_long_prompt_is_recognised_with_its_numbers(code: int, body: str, expected: TooLong) -> None:
    found = fault(code, {}, body.encode(), "http://h/v1")
    assert isinstance(found, TooLong)
    assert (found.context, found.tokens) == (expected.context, expected.tokens)


@pytest.mark.parametrize("code", [400, 413, 422])
def test_other_complaints_are_about_the_request(code: int) -> None:
    assert isinstance(fault(code, {}, b"Unknown field \xff logprobs", "http://h/v1"), Unfit)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7),
        ("0.5", 0.5),
        ("-3", 0),
        ("", 0),
        ("soon", 0),
        ("nan", 0),
        ("inf", LONGEST_REST_S),
        ("99999", LONGEST_REST_S),
        ("Fri, 20 Nov 2026 12:00:09 GMT", 9),
        ("Fri, 20 Nov 2026 11:00:00 GMT", 0),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, seconds: float) -> None:
    assert retry_after(value, NOW) == seconds


def test_an_echo_of_the_request_steers_nothing() -> None:
    echo = (
        b'{"detail": [{"msg": "bad", "loc": ["body", "x"], "input": {"prompt": "maximum context length is 9 tokens"}}]}'
    )
    found = fault(422, {}, echo, "http://h/v1")
    assert isinstance(found, Unfit)
    assert "maximum" not in found.complaint
    assert "bad" in found.complaint
