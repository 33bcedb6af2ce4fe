"""The contract of every teacher, with messages and with token ids."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fanno_core import settings
from tests.stub_openai import StubOpenAI
from tests.teachers.test_contract import *  # noqa: F403


@pytest.fixture(params=["chat", "ids"])
def chosen(request: pytest.FixtureRequest) -> Iterator[settings.Teacher]:
    if request.param == "chat":
        with StubOpenAI() as stub:
            yield settings.Teacher(name="openai", endpoints=(stub.url,))
    else:
        tokenizer = str(request.getfixturevalue("tiny_llama"))
        with StubOpenAI(vllm=True, context=4096) as stub:
            yield settings.Teacher(name="openai", endpoints=(stub.url,), tokenizer=tokenizer)
