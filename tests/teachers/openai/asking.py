"""What the tests of this folder ask."""

from __future__ import annotations

import asyncio
from typing import Any

from pydantic import SecretStr

from fanno_core.teachers.openai import OpenAITeacher
from fanno_core.teachers.protocol import Answer, Request, Sampling, ask
from tests.stub_openai import SECRET, StubOpenAI


def teacher_of(*servers: StubOpenAI, **options: Any) -> OpenAITeacher:
    return OpenAITeacher([server.url for server in servers], SecretStr(SECRET), **options)


def question(n: int = 0, document: str = "d1", max_tokens: int = 16, temperature: float = 0.0) -> Request:
    return Request(
        f"r{n}", "p@0", f"Question {n} about {document}", Sampling(max_tokens, temperature), document_id=document
    )


def verdict(n: int = 0) -> Request:
    return Request(f"r{n}", "v@0", f"Is text {n} good?", Sampling(1), choices=("1", "0"), document_id="d1")


def long_question(characters: int) -> Request:
    rules, document, end = "Read this. ", "w" * characters, " Now ask."
    span = (len(rules), len(rules) + characters)
    return Request("r", "p@0", rules + document + end, Sampling(64), document_id="d1", documents=span)


def asked(teacher: OpenAITeacher, *requests: Request) -> list[Answer]:
    return asyncio.run(ask(teacher, requests))
