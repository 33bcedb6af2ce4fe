from collections import Counter
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanno_core.prompts.loader import fence_mark
from fanno_core.responses.filters import PROMPT_MARKERS, response_reason
from fanno_core.settings import Responses
from tests.shared_data import shared_rows

SETTINGS = Responses()


def reason(output: str, instruction: str = "Tell me about bees.", given: str = "", finish: str = "stop") -> str | None:
    return response_reason(output, finish, instruction, given, SETTINGS)


@pytest.mark.parametrize(
    ("finish", "output", "expected"),
    [
        ("context", "", "prompt_too_long"),
        ("stop", "", "empty"),
        ("length", " \n", "empty"),
        ("length", "Bees dance, and then they", "cut_off"),
        ("stop", "Bees dance.", None),
        ("stop", "7", None),
        ("stop", "?", None),
    ],
)
def test_how_the_teacher_stopped(finish: str, output: str, expected: str | None):
    assert reason(output, finish=finish) == expected


@pytest.mark.parametrize(
    "output",
    [
        "I cannot help with that.",
        "I can’t assist with this request.",
        "I'm sorry, but I can't provide that information.",
        "I'm sorry, but as an AI language model I have no opinions.",
        "As an AI language model, I do not eat.",
        "I am an AI, so I have no favourite.",
        "As an artificial intelligence I cannot feel pain.",
        "As a Large Language Model (LLM), I have no team.",
        "Unfortunately, I am unable to browse the internet.",
        "Sorry, I am not able to generate images.",
        "I don't have enough information to answer.",
        '"I\'m sorry, but the passage does not say."',
        "It is not appropriate for me to judge.",
        "No output.",
    ],
)
def test_refusals(output: str):
    assert reason(output) == "refusal"


@pytest.mark.parametrize(
    "output",
    [
        "I cannot tell you how grateful I am for your help.",
        "I cannot help but wonder at the stars.",
        "I can't wait to see you.",
        "I'm sorry for the delay of your order; it leaves tomorrow.",
        "I'm sorry, but your order will arrive a day late.",
        "Unable to sleep, she walked to the sea.",
        "Dear Sir, I am unable to attend.",
        "As an AI engineer, you train models and measure them.",
        "AI language models predict the next word; as an AI engineer, you train them.",
    ],
)
def test_what_only_sounds_like_a_refusal_stays(output: str):
    assert reason(output) is None


@pytest.mark.parametrize(
    "output",
    [
        "bees " * 20,
        "Bees dance in the hive. " * 5,
        "蜂は踊る" * 25,
        "ha" * 40,
        "\n".join(["- a bee", "- a wasp", *["- a fly"] * 6]),
    ],
)
def test_repetition(output: str):
    assert reason(output) == "repetition"


@pytest.mark.parametrize(
    "output",
    [
        "Row, row, row your boat\nGently down the stream\nMerrily, merrily, merrily, merrily\nLife is but a dream",
        "| name | size |\n|------|------------------------------------------|\n| bee | 1 |",
        "Fill in: ________________________________________",
        "if x:\n    pass\nelse:\n    pass",
        "Yes, yes, yes.",
    ],
)
def test_ordinary_repetition_stays(output: str):
    assert reason(output) is None


@pytest.mark.parametrize(
    ("instruction", "given", "output", "expected"),
    [
        ("Explain how bees find their way home.", "", "Explain how bees find their way home.", "copies_instruction"),
        ("Explain how bees find their way home.", "", "**explain how bees find their way home**", "copies_instruction"),
        ("What is the capital of France?", "", "The capital of France is Paris.", None),
        ("Correct the grammar: he go to the school every day with his old friend", "",
         "He goes to the school every day with his old friend.", None),
        ("Explain how bees find their way home.", "",
         "Explain how bees find their way home? They use the sun, landmarks and the smell of the hive.", None),
        ("Say it in other words.", "It rained all day long in the old town.",
         "It rained all day in the old town.", None),
        ("Say it in other words.", "It rained all day long in the old town.",
         "It rained all day long\nin the old town.", "copies_input"),
        ("Add a comma.", "She went to the old shop but bought nothing.",
         "She went to the old shop, but bought nothing.", None),
        ("Choose the longer word.", "horse", "horse", None),
    ],
)  # fmt: skip
def test_copies(instruction: str, given: str, output: str, expected: str | None):
    assert reason(output, instruction, given) == expected


@pytest.mark.parametrize("marker", PROMPT_MARKERS)
def test_prompt_markers_are_wording_of_our_prompts(marker: str):
    prompts = [file for file in resources.files("fanno_core.prompts").iterdir() if file.name.endswith(".txt")]
    assert any(marker in " ".join(file.read_text(encoding="utf-8").split("\n")) for file in prompts)
    assert reason(f"Bees dance. {marker} And so on.") == "leaks_prompt"


@given(st.text())
def test_a_fence_never_passes(document: str):
    mark = fence_mark({"document": document})
    assert reason(f"<<{mark}\nBees dance.") == "leaks_prompt"
    assert reason(f"Bees dance.\n{mark}>>") == "leaks_prompt"


def test_markers_of_the_caller():
    assert response_reason("Hive: bees dance.", "stop", "Why?", "", SETTINGS, ["Hive:"]) == "leaks_prompt"
    assert reason("The difference between the two is that a counterexample is enough to refute.") is None


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("alpaca_sample_2000.jsonl", {None: 1996, "empty": 2, "copies_input": 1, "copies_instruction": 1}),
        ("dolly_filtered_1000.jsonl", {None: 993, "copies_input": 6, "refusal": 1}),
    ],
)
def test_real_responses_are_hardly_ever_dropped(file: str, expected: dict[str | None, int]):
    """The phrases were chosen with these rows in view, so this guards against a change and is no error rate.

    Two are empty, one is a cut copy, seven equal their input (human answers among them), one speaks as a model.
    """
    rows = shared_rows(file)
    assert Counter(reason(row["output"], row["instruction"], row["input"]) for row in rows) == expected


@given(st.text(), st.text(), st.text(), st.sampled_from(["stop", "length", "context"]))
def test_any_text_gets_a_verdict(output: str, instruction: str, given: str, finish: str):
    verdict = reason(output, instruction, given, finish)
    assert verdict is None or verdict.replace("_", "").isalpha()
    if finish != "stop" or not output.strip():
        assert verdict is not None
