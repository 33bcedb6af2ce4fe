from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from fanno_core.teachers.extractive import generated
from fanno_core.text import sentences_of

SHOWN = "1. Explain how a compost heap keeps warm.\n2. Compare two recipes for rye bread."
PROSE = (
    "A compost heap keeps warm because bacteria work in it. The bacteria need air and water. "
    "A gardener turns the heap from time to time. Warm compost is ready after a few months."
)
ADVERT = "BUY NOW! Only $5, 50% off! Call 555 123 4567 or visit www.example.com for a free offer!!!"


def test_a_list_goes_on_with_its_numbers() -> None:
    lines = generated.tasks({"examples": SHOWN, "first": "3", "last": "9"}).split("\n")
    assert [line.partition(".")[0] for line in lines] == [str(number) for number in range(3, 10)]
    assert len(set(lines)) == 7
    assert any("compost heap" in line or "rye bread" in line for line in lines)


def test_another_list_goes_on_in_another_way() -> None:
    fields = {"examples": SHOWN, "first": "3", "last": "9"}
    assert generated.tasks(fields) == generated.tasks(dict(fields))
    assert generated.tasks(fields) != generated.tasks({**fields, "examples": "1. Count the petals of a daisy."})


def test_a_block_has_input_and_output_under_its_number() -> None:
    examples = (
        "###\n1. Instruction: Explain how a compost heap keeps warm.\n1. Input:\n<noinput>\n1. Output:\nBacteria."
    )
    text = generated.blocks({"examples": examples, "first": "2", "last": "14"})
    for number in range(2, 15):
        for part in ("Instruction:", "Input:", "Output:"):
            assert text.count(f"\n{number}. {part}") == 1
    assert "<noinput>" in text


@pytest.mark.parametrize("numbers", [{}, {"first": "a", "last": "b"}, {"first": "3", "last": "2"}])
def test_without_numbers_there_is_one_task(numbers: dict[str, str]) -> None:
    assert len(generated.tasks({"examples": SHOWN, **numbers}).split("\n")) == 1


@pytest.mark.parametrize(
    ("instruction", "expected"),
    [
        ("Classify the remark as praise or criticism of tea and jam.", "Yes"),
        ("Is the claim true or false?", "Yes"),
        ("Compare tea with jam.", "No"),
        ("", "No"),
    ],
)
def test_what_asks_for_a_label_is_classification(instruction: str, expected: str) -> None:
    assert generated.classification({"instruction": instruction}) == expected


def test_an_instruction_of_a_known_wording_is_answered_about_its_phrases() -> None:
    fields = {"instruction": "Say whether the question is about tea or jam.", "count": "2"}
    assert generated.output_first(fields) == (
        "Class label: Tea\nInput: How much time does a beginner need for tea?\n\n"
        "Class label: Jam\nInput: Who was the first to speak of jam?"
    )
    assert generated.output_first({**fields, "count": "1"}).count("Class label:") == 1
    assert generated.input_first(fields).startswith("Example 1\nInput: How much time")


def test_any_other_instruction_gets_general_advice() -> None:
    assert generated.input_first({"instruction": "Sing."}) == f"Example 1\nInput: none\nOutput: {generated.ELSE}"


def test_a_problem_is_solved_with_the_sentences_of_its_fragment() -> None:
    problem, solution = (
        generated.problem({"document": PROSE}).removeprefix("[Problem Description]\n").split("\n\n[Solution]\n")
    )
    assert problem.endswith((".", "?"))
    assert any(sentence in solution for sentence in sentences_of(PROSE))


def test_a_page_that_sells_scores_less() -> None:
    def score(document: str) -> int:
        instruction = generated.backwards({"document": document})
        return int(generated.pair_score({"document": document, "instruction": instruction})[-1])

    assert 1 <= score(ADVERT) < score(PROSE) <= 5


def test_an_instruction_about_something_else_scores_less() -> None:
    own = generated.pair_score({"document": PROSE, "instruction": "Explain why a compost heap keeps warm."})
    other = generated.pair_score({"document": PROSE, "instruction": "Name three rivers of Asia."})
    assert own[-1] > other[-1]


@pytest.mark.parametrize(
    "write",
    [
        generated.tasks,
        generated.blocks,
        generated.classification,
        generated.input_first,
        generated.output_first,
        generated.problem,
        generated.backwards,
        generated.pair_score,
    ],
)
def test_every_writer_answers_without_fields(write: Callable[[Mapping[str, str]], str]) -> None:
    assert write({}).strip()
