from __future__ import annotations

import pytest

from fanno_core.instructions.tags import tag_pool
from fanno_core.plan.pretended import TOKENS, YES, Pretended
from fanno_core.responses.answers import PROMPTS as RESPONSES
from fanno_core.screening.verdicts import PROMPTS as VERDICTS
from fanno_core.teachers.protocol import Answer, Request, Sampling, ask
from fanno_core.teachers.rendered import rendered_request
from tasks.instructions import AUGMENT, NOVELTY, SEEDS
from tests.scripted import ScriptedTeacher


class Untouchable(ScriptedTeacher):
    def reply(self, request: Request) -> Answer:
        raise AssertionError(f"was asked {request.prompt}")


@pytest.fixture
def pretended() -> Pretended:
    return Pretended(Untouchable())


def judged(number: int) -> Request:
    values = {"document": f"Document {number} is about rivers and what they carry."}
    return rendered_request(str(number), "document_quality", values, Sampling(1), str(number), ("1", "0"))


def test_every_prompt_of_a_run_has_an_assumption() -> None:
    prompts = {*VERDICTS, *RESPONSES.values(), *SEEDS.prompts, *NOVELTY.prompts, *AUGMENT.prompts}
    assert prompts == {*YES, *TOKENS}


async def test_verdicts_come_in_the_assumed_share_and_depend_on_their_request_alone(pretended: Pretended) -> None:
    requests = [judged(number) for number in range(400)]
    answers = await ask(pretended, requests)
    assert sum(answer.text == "1" for answer in answers) / 400 == pytest.approx(YES["document_quality"], abs=0.05)
    assert await ask(pretended, requests[::-1]) == answers[::-1]
    assert answers[0].prompt_tokens == len(requests[0].text.split())


async def test_what_is_written_has_the_assumed_length_and_differs_by_its_prompt(pretended: Pretended) -> None:
    document = " ".join(f"word{number}" for number in range(300))
    values = [{"document": document, **tags.values()} for tags in tag_pool()[:8]]
    requests = [rendered_request("r", "seed_instruction", each, Sampling(2048), "d") for each in values]
    answers = await ask(pretended, requests)
    assert len({answer.text for answer in answers}) == 8
    for answer in answers:
        assert len(answer.text.split()) == answer.completion_tokens == TOKENS["seed_instruction"]


async def test_no_answer_is_longer_than_allowed(pretended: Pretended) -> None:
    values = {"instruction": "Say why rivers bend, in three sentences, as a teacher would say it to a class."}
    (answer,) = await ask(pretended, [rendered_request("r", "response_direct", values, Sampling(3), "d")])
    assert answer.completion_tokens == 3
    assert len(answer.text.split()) <= 3
