"""What every teacher of the table keeps to, and the tiny models that the data folder brings."""

from __future__ import annotations

from dataclasses import replace
from importlib import resources
from importlib.util import find_spec
from string import Template

import pytest

from fanno_core import prompts, settings
from fanno_core.errors import RunStops
from fanno_core.prompts.loader import load_prompt
from fanno_core.teachers.protocol import Identity, Request, Sampling, Teacher, ask
from fanno_core.teachers.table import TEACHERS, open_teacher
from tests.shared_data import shared

PROMPTS = sorted(file.name[:-4] for file in resources.files(prompts).iterdir() if file.name.endswith(".txt"))
DOCUMENT = (
    "Whales are mammals that live in the sea. They breathe air, so they come to the surface. A blue whale can be "
    "30 metres long and eats small shrimp called krill. Whales were hunted for oil until the 20th century."
)
TEXTS = [f"Explain in {n} sentences why a whale comes to the surface{', ' * (n % 3)}please." for n in range(9)]


LOCAL = {"transformers", "vllm"}
"""Teachers with a model in this process."""


SERVED = {"openai"}
"""Teachers that need a server: `tests/teachers/openai/test_contract.py` runs these tests against one."""


@pytest.fixture(params=[*(name for name in TEACHERS if name not in SERVED), "gpt2_tiny", "llama_tiny"])
def chosen(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> settings.Teacher:
    name = request.param
    if name == "vllm":
        if find_spec("vllm") is None:
            pytest.skip("needs vLLM: make test-vllm")
        monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")
        model = str(request.getfixturevalue("tiny_llama_of_two_heads"))
        return settings.Teacher(name="vllm", model=model, dtype="float32", min_choice_mass=0)
    if name in TEACHERS and name != "transformers":
        return settings.Teacher(name=name)
    if name == "transformers":
        return settings.Teacher(
            name="transformers", model=str(request.getfixturevalue("tiny_llama")), min_choice_mass=0
        )
    pytest.importorskip("transformers", reason="needs fanno[models]")
    folder = shared(f"tiny_models/{name}")
    return settings.Teacher(name="transformers", model=str(folder), min_choice_mass=0)


@pytest.fixture
def teacher(chosen: settings.Teacher) -> Teacher:
    return open_teacher(chosen)


def question(text: str, max_tokens: int = 12, temperature: float = 0.0) -> Request:
    fields = {"instruction": text, "document": DOCUMENT}
    return Request(text, "response_document@0", text, Sampling(max_tokens, temperature, 0.9, 3), fields, (), "d1")


def verdict(text: str, temperature: float = 0.0) -> Request:
    fields = {"document": text}
    return Request(text, "document_quality@0", text, Sampling(1, temperature), fields, ("1", "0"), "d1")


def turn(seed: int, max_tokens: int = 12) -> Request:
    return Request(f"turn {seed}", "turn@0", "", Sampling(max_tokens, 1.0, 1.0, seed), bare=True)


def rendered(name: str) -> Request:
    prompt = load_prompt(name)
    wanted = set(Template(prompt.template).get_identifiers()) - {"fence"}
    known = {"document": DOCUMENT, "retrieved": DOCUMENT, "instruction": "Why does a whale come to the surface?"}
    fields = {field: known.get(field, f"a {field.replace('_', ' ')}") for field in sorted(wanted)}
    choices = ("1", "0") if name.startswith(("document_", "instruction_")) else ()
    text = prompt.render(fields)
    return Request(name, prompt.label, text, Sampling(1 if choices else 24), fields, choices, "d1")


async def test_answers_come_in_the_order_of_the_requests(teacher: Teacher) -> None:
    requests = [question(text, temperature=1.0) for text in TEXTS] + [verdict(text) for text in TEXTS]
    there = await ask(teacher, requests)
    back = await ask(teacher, requests[::-1])
    # What the prefix cache holds, and the last digits of sums, hang on what was asked before.
    one, other = ([replace(a, cached_tokens=0, probability=None) for a in answers] for answers in (there, back[::-1]))
    assert one == other
    assert [a.probability for a in there] == pytest.approx([a.probability for a in back[::-1]], abs=1e-5)


async def test_an_answer_depends_on_its_own_request_alone(teacher: Teacher) -> None:
    requests = [question(text, 4 + n, n % 2) for n, text in enumerate(TEXTS)] + [verdict(text) for text in TEXTS]
    together = await ask(teacher, requests)
    alone = [(await ask(teacher, [request]))[0] for request in requests]
    assert [a.text for a in together] == [a.text for a in alone]
    assert [a.probability for a in together] == pytest.approx([a.probability for a in alone], abs=1e-5)


async def test_a_verdict_is_a_choice_with_a_probability(teacher: Teacher) -> None:
    for answer in await ask(teacher, [verdict(text) for text in TEXTS]):
        assert answer.text in {"1", "0"}
        assert answer.probability is not None
        assert 0 <= answer.probability <= 1
        assert (answer.text == "1") == (answer.probability >= 0.5)


async def test_a_text_carries_no_probability(teacher: Teacher) -> None:
    assert [answer.probability for answer in await ask(teacher, [question(text) for text in TEXTS])] == [None] * 9


async def test_max_tokens_holds_for_each_request(teacher: Teacher) -> None:
    requests = [question(text, max_tokens=1 + n) for n, text in enumerate(TEXTS)]
    for request, answer in zip(requests, await ask(teacher, requests), strict=True):
        assert 0 <= answer.completion_tokens <= request.sampling.max_tokens
        assert answer.prompt_tokens > 0


async def test_no_requests_no_answers(teacher: Teacher) -> None:
    assert await ask(teacher, []) == []


@pytest.mark.parametrize("name", PROMPTS)
async def test_every_prompt_file_is_answered(teacher: Teacher, name: str) -> None:
    request = rendered(name)
    answer = (await ask(teacher, [request]))[0]
    assert answer.finish in {"stop", "length"}
    assert answer.prompt_tokens > 0
    if request.choices:
        assert answer.text in request.choices
        assert answer.probability is not None
    else:
        assert answer.completion_tokens > 0


async def test_a_user_s_turn_is_gone_on_with_or_refused_in_a_sentence(teacher: Teacher) -> None:
    requests = [turn(seed, 4 + seed) for seed in range(12)]
    if not teacher.can_continue:
        with pytest.raises(RunStops, match=r"^teacher\.\w+.*; \w+ .*[^.]$"):
            await ask(teacher, requests)
        return
    together = await ask(teacher, [*requests, *map(question, TEXTS)])
    back = (await ask(teacher, [*map(question, TEXTS), *requests[::-1]]))[: -len(requests) - 1 : -1]
    alone = [(await ask(teacher, [request]))[0] for request in requests]
    for answer, other, single, request in zip(together, back, alone, requests, strict=False):
        assert (answer.text, answer.finish) == (other.text, other.finish) == (single.text, single.finish)
        assert answer.completion_tokens == single.completion_tokens <= request.sampling.max_tokens
        assert "\n" not in answer.text
        assert answer.prompt_tokens > 0
    assert len({answer.text for answer in together[:12]}) > 6, "each seed is to begin another turn"


def test_tokens_are_counted(teacher: Teacher) -> None:
    short, long = teacher.count_tokens(["a whale", DOCUMENT])
    assert 0 < short < long
    assert teacher.count_tokens([]) == []


def test_an_identity_names_no_place_of_this_machine(teacher: Teacher, chosen: settings.Teacher) -> None:
    assert isinstance(teacher.identity, Identity)
    assert teacher.identity.name == chosen.name
    assert teacher.identity.revision
    assert "/" not in teacher.identity.model


def test_a_teacher_is_opened_once_a_process(teacher: Teacher, chosen: settings.Teacher) -> None:
    assert open_teacher(chosen.model_copy()) is teacher


async def test_markup_in_a_prompt_is_text(teacher: Teacher, chosen: settings.Teacher) -> None:
    if chosen.name not in LOCAL:
        pytest.skip("has no special tokens")
    plain, marked = await ask(teacher, [question("a whale"), question("a whale<|endoftext|></s><|im_end|>")])
    assert marked.prompt_tokens >= plain.prompt_tokens + 6
    assert all(count > 1 for count in teacher.count_tokens(["<s>", "</s>", "<|endoftext|>", "<|im_end|>"]))


async def test_a_prompt_that_does_not_fit_is_not_asked(teacher: Teacher, chosen: settings.Teacher) -> None:
    if chosen.name not in LOCAL:
        pytest.skip("has no context to overrun")
    long, short, judged = await ask(teacher, [question("whale " * 3000), question("a whale"), verdict("w " * 9000)])
    assert (long.text, long.finish, long.completion_tokens) == ("", "context", 0)
    assert (judged.finish, judged.probability) == ("context", None)
    assert short.finish != "context"
