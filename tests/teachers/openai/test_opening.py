from __future__ import annotations

import pytest

from fanno_core.errors import BadSettings, RunStops
from fanno_core.teachers.openai import OpenAITeacher
from tests.stub_openai import StubOpenAI
from tests.teachers.openai.asking import asked, question, teacher_of


@pytest.mark.parametrize("address", ["127.0.0.1:8000", "ftp://host/v1", "http://", "/v1", "", "http://[::1"])
def test_an_address_has_to_be_one(address: str) -> None:
    with pytest.raises(BadSettings, match="number 2"):
        OpenAITeacher(["http://127.0.0.1:9/v1", address])


def test_the_first_model_is_asked_unless_one_is_named(server: StubOpenAI) -> None:
    server.models = ("first", "second")
    asked(teacher_of(server), question())
    asked(teacher_of(server, model="second"), question())
    assert [seen.body["model"] for seen in server.seen] == ["first", "second"]


def test_every_server_has_to_have_the_model(server: StubOpenAI) -> None:
    with StubOpenAI(models=("other",)) as odd, pytest.raises(RunStops, match=f"{odd.url} serves other, not stub"):
        teacher_of(server, odd)


def test_the_shortest_context_holds(server: StubOpenAI) -> None:
    server.vllm, server.context = True, 4096
    with StubOpenAI(vllm=True, context=2048) as small:
        assert "2048 tokens" in teacher_of(server, small).identity.options
        assert "1000 tokens" in teacher_of(server, small, context_tokens=1000).identity.options


def test_a_server_that_is_away_at_first_is_asked_when_it_comes() -> None:
    with StubOpenAI() as late:
        port = late.port
    with StubOpenAI() as server:
        teacher = teacher_of(server, late, in_flight=8)
        asked(teacher, *(question(n, f"d{n}") for n in range(40)))
        assert len(server.seen) == 40
        server.latency_s = 0.02
        with StubOpenAI(port=port) as back:
            asked(teacher, *(question(n, f"d{n}") for n in range(200)))
            assert len(back.seen) > 20


@pytest.mark.parametrize(
    ("model", "shown"),
    [
        ("/data/models/mistral", "mistral"),
        ("./mistral", "mistral"),
        ("~/mistral/", "mistral"),
        ("C:\\models\\mistral", "mistral"),
        ("mistralai/Mistral-7B", "mistralai/Mistral-7B"),
        ("llama3:latest", "llama3:latest"),
    ],
)
def test_an_identity_names_no_folder(server: StubOpenAI, model: str, shown: str) -> None:
    server.models = (model,)
    assert teacher_of(server, revision="r7").identity.model == shown
    assert str(teacher_of(server, revision="r7").identity) == f"openai/{shown}@r7#server"
