"""What the tiny Mistral must be able to do, so that rows of a run with it pass the filters."""

from __future__ import annotations

import random

from fanno_core.instructions.cleaning import clean_instruction
from fanno_core.instructions.drafts import VERDICT_PROMPTS
from fanno_core.instructions.hard_filter import hard_reason
from fanno_core.instructions.tags import form_rules, tags_for
from fanno_core.responses.filters import response_reason
from fanno_core.screening.verdicts import PROMPTS as DOCUMENT_VERDICTS
from fanno_core.settings import Responses
from fanno_core.teachers.protocol import Answer, Request, Sampling, Teacher, ask
from fanno_core.teachers.rendered import rendered_request
from tests.vllm.lessons import ADVERT
from tests.vllm.tiny_mistral import segments

WRITING = Sampling(96)
PASSES = {"document_quality": True, "instruction_answerable": True}


def judged(name: str, **values: str) -> Request:
    return rendered_request("r", name, values, Sampling(1), "d", ("1", "0"))


def seeds() -> list[Request]:
    return [
        rendered_request(f"d{n}", "seed_instruction", {"document": text, **tags.values()}, WRITING, f"d{n}")
        for n, text in enumerate(segments()[::20])
        for tags in tags_for(f"d{n}", 24, 42)
    ]


def augmented(shots: list[str]) -> list[Request]:
    rng = random.Random(5)
    requests = []
    for n, text in enumerate(segments()[::2]):
        some = rng.sample(shots, 3)
        values = {
            "document": text,
            "form_rule": rng.choice(sorted(form_rules().values())),
            "openings": ", ".join(f'"{" ".join(shot.split()[:4])}"' for shot in some),
            "counterexamples": "\n".join(f"{number}. {shot}" for number, shot in enumerate(some, 1)),
        }
        requests.append(rendered_request(f"d{n}", "think_different", values, WRITING, f"d{n}"))
    return requests


def is_instruction(answer: Answer) -> bool:
    instruction, given = clean_instruction(answer.text)
    return answer.finish == "stop" and hard_reason(instruction, "word", given) is None


def share(found: list[bool]) -> float:
    return sum(found) / len(found)


async def test_verdicts_can_be_read_and_let_documents_pass(teacher: Teacher) -> None:
    for name in DOCUMENT_VERDICTS:
        answers = await ask(teacher, [judged(name, document=text) for text in segments()[::2]])
        assert share([answer.probability is not None for answer in answers]) >= 0.9
        assert share([(answer.text == "1") == PASSES.get(name, False) for answer in answers]) >= 0.8


async def test_an_advert_is_told_from_the_rest(teacher: Teacher) -> None:
    advert = ADVERT.replace("$", "whale") * 2
    (answer,) = await ask(teacher, [judged("document_advertisement", document=advert)])
    assert answer.text == "1"


async def test_instructions_and_responses_pass_the_filters(teacher: Teacher) -> None:
    first = await ask(teacher, seeds())
    assert share([is_instruction(answer) for answer in first]) >= 0.6
    shots = sorted({answer.text for answer in first if is_instruction(answer)})
    more = await ask(teacher, augmented(shots))
    assert share([is_instruction(answer) for answer in more]) >= 0.6
    written = sorted({*shots, *(answer.text for answer in more if is_instruction(answer))})
    assert len(written) >= 200
    for name in VERDICT_PROMPTS:
        answers = await ask(teacher, [judged(name, instruction=text) for text in written])
        assert share([answer.probability is not None for answer in answers]) >= 0.9
        assert share([(answer.text == "1") == PASSES.get(name, False) for answer in answers]) >= 0.9
    requests = [rendered_request("r", "response_direct", {"instruction": text}, WRITING, "d") for text in written]
    answers = await ask(teacher, requests)
    reasons = [
        response_reason(answer.text.strip(), answer.finish, text, "", Responses())
        for answer, text in zip(answers, written, strict=True)
    ]
    assert share([reason is None for reason in reasons]) >= 0.8
