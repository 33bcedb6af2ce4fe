"""The teacher without weights, seen through the protocol."""

import asyncio
import re
from importlib import resources

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fanno_core import prompts
from fanno_core.errors import RunStops
from fanno_core.teachers.extractive import ExtractiveTeacher
from fanno_core.teachers.protocol import Answer, Request, Sampling, ask

RICH = "\n\n".join(
    [
        "A beehive is a home in which honey bees live and store their food. The queen bee lays up to two thousand "
        "eggs a day in early summer. Worker bees collect nectar from flowers because they need sugar for energy, "
        "and they carry pollen on their hind legs. A strong colony can contain fifty thousand worker bees. Winter "
        "is a difficult season for a weak colony, although a careful beekeeper can help with sugar syrup.",
        "When the hive is crowded, a swarm leaves with the old queen. The swarm should find a dry cavity within "
        "three days. Varroa mites are dangerous parasites that weaken the whole colony. Regular inspections allow "
        "a beekeeper to detect varroa mites early. Good ventilation protects the honey stores from moisture, "
        "mould and frost. Fresh honey tastes wonderful and is a valuable reward for a patient beekeeper.",
    ]
)

VERDICTS = [
    "document_quality",
    "document_advertisement",
    "document_privacy",
    "instruction_privacy",
    "instruction_safety",
    "instruction_answerable",
]
PROMPTS = sorted(
    path.name.removesuffix(".txt") for path in resources.files(prompts).iterdir() if path.name.endswith(".txt")
)
FIELDS = {
    "document": RICH,
    "instruction": "What should a newcomer know about varroa mites?",
    "retrieved": "Bee colonies need water in summer. They use the water to cool the hive on hot days.",
    "task_type": "closed-book-qa",
    "task_description": "A question.",
    "characteristic": "multi-step",
    "characteristic_description": "Several steps.",
    "form": "interrogative",
    "form_description": "A question.",
    "counterexamples": "1. Explain how a hive works.",
    "openings": '"Explain how a hive"',
    "form_rule": "Write it as a question.",
}


def told(prompt: str, fields: dict[str, str], max_tokens: int = 2048) -> Answer:
    choices = ("1", "0") if prompt in VERDICTS else ()
    request = Request("row", prompt, "the whole prompt, rendered", Sampling(max_tokens), fields, choices)
    return asyncio.run(ask(ExtractiveTeacher(), [request]))[0]


@pytest.mark.parametrize("prompt", PROMPTS)
def test_answers_every_prompt_file(prompt):
    answer = told(prompt, FIELDS)
    assert answer.text.strip()
    assert answer.finish == "stop"
    assert answer.prompt_tokens == 5
    assert answer.completion_tokens == ExtractiveTeacher().count_tokens([answer.text])[0]


@pytest.mark.parametrize("prompt", VERDICTS)
def test_a_verdict_is_the_likelier_choice(prompt):
    for document in (RICH, "Buy now!!! Call 0800 123 4567 and win $500 FREE", ""):
        answer = told(prompt, {"document": document, "instruction": document})
        assert 0 <= answer.probability <= 1
        assert answer.text == ("1" if answer.probability >= 0.5 else "0")


def test_the_probability_belongs_to_the_first_choice():
    fields = {"document": RICH}
    request = Request("row", "document_quality", "", Sampling(1), fields, ("0", "1"))
    turned = asyncio.run(ask(ExtractiveTeacher(), [request]))[0]
    straight = told("document_quality", fields)
    assert turned.text == straight.text
    assert turned.probability == pytest.approx(1 - straight.probability)


async def test_answers_keep_the_order_and_do_not_depend_on_company():
    requests = [Request(prompt, prompt, prompt, Sampling(500), FIELDS) for prompt in PROMPTS]
    together = await ask(ExtractiveTeacher(), requests)
    alone = [(await ask(ExtractiveTeacher(), [request]))[0] for request in reversed(requests)]
    assert together == alone[::-1]


def test_a_prompt_of_a_method_that_was_added_is_answered_by_what_it_shows():
    assert told("no_such_prompt", FIELDS) == told("response_document", FIELDS)
    document = {"document": FIELDS["document"]}
    assert told("no_such_prompt", document) == told("seed_instruction", document)


def test_a_prompt_that_shows_nothing_to_go_by_stops_the_run_and_is_named():
    with pytest.raises(RunStops, match="no_such_prompt"):
        told("no_such_prompt", {"words": "hello"})


def test_long_answers_are_cut_at_the_limit():
    answer = told("response_document", FIELDS, max_tokens=7)
    assert (answer.finish, answer.completion_tokens) == ("length", 7)
    assert told("response_document", FIELDS).text.startswith(answer.text)


def test_tokens_are_words_and_marks():
    assert ExtractiveTeacher().count_tokens(["", "Bees, I say!", "a-b"]) == [0, 5, 3]


def test_says_that_it_needs_documents():
    teacher = ExtractiveTeacher()
    assert teacher.needs_context
    assert re.fullmatch(r"extractive/extractive@\d+", str(teacher.identity))
    assert "cannot answer" in told("response_direct", {"instruction": "What is a hive?"}).text


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(PROMPTS), st.dictionaries(st.sampled_from(sorted(FIELDS)), st.text(max_size=200)))
def test_never_raises_and_never_says_nothing(prompt, changed):
    answer = told(prompt, FIELDS | changed)
    assert answer.text.strip()
    assert answer == told(prompt, FIELDS | changed)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.sampled_from([*RICH.split(), "\n", "- ", "subject: a | verb: b | object: c", "(", "1.", "Premise: x"])),
    st.sampled_from(PROMPTS),
)
def test_scrambled_prose_is_answered_too(pieces, prompt):
    assert told(prompt, FIELDS | {"document": " ".join(pieces), "instruction": " ".join(pieces)}).text.strip()
