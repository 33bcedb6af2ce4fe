from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanno_core.methods.self_instruct_instances import instances_of
from tests.shared_data import shared_rows


def read(text: str, classification: bool = False, finish: str = "stop") -> list[tuple[str, str, str]]:
    return [(one.input, one.output, one.reason) for one in instances_of(text, finish, classification)]


def test_instances_are_read_as_in_the_original() -> None:
    rows = shared_rows("golden/self_instruct_parse_instances.jsonl")
    for row in rows:
        found = instances_of(row["raw"], row["finish_reason"], row["classification"], published=True)
        assert sorted(["TASK", one.input, one.output] for one in found if not one.reason) == row["expected_sorted"]
    assert len(rows) == 60


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Example 1\nInput: a\nOutput: b", [("a", "b", "")]),
        (
            "**Example 1**\n**Input:** a\n**Output:** b\n\n### Example 2\nInput: c\nOutput: d",
            [("a", "b", ""), ("c", "d", "")],
        ),
        ("Example 1\nInput: none\nOutput: b", [("", "b", "")]),
        ("Example 1\nOutput: b", [("", "b", "")]),
        ("Output: b", [("", "b", "")]),
        ("Input: a\nOutput: b\nInput: c", [("a", "b", "")]),
        (
            "Example 1\nInput: a\nOutput: For Example, the Output: 3 is odd.",
            [("a", "For Example, the Output: 3 is odd.", "")],
        ),
        ("Example 1\nInput: a\nOutput: b\n\nTask: Another one\nExample 1\nOutput: c", [("a", "b", "")]),
        ("Example 1\nInput: a\nOutput: a", [("a", "a", "copies_input")]),
        ("Example 1\nInput: a\nOutput:", [("a", "", "empty")]),
        ("Example 1\nInput: a\nOutput: these:", [("a", "these:", "ends_with_colon")]),
        (
            "Example 1\nInput: a\nOutput: b\nExample 2\nInput: a\nOutput: b",
            [("a", "b", ""), ("a", "b", "double_instance")],
        ),
        (
            "Example 1\nInput: a\nOutput: b\nExample 2\nInput: a\nOutput: c\nExample 3\nInput: d\nOutput: e",
            [("a", "b", "inputs_disagree"), ("a", "c", "inputs_disagree"), ("d", "e", "inputs_disagree")],
        ),
        ("Example 1\nOutput: b\nExample 2\nOutput: c", [("", "b", ""), ("", "c", "")]),
        ("b", []),
        ("", []),
    ],
)
def test_inputs_come_first(text: str, expected: list[tuple[str, str, str]]) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Class label: yes\nInput: a\nClass label: no\nb", [("a", "yes", ""), ("b", "no", "")]),
        ("**Class label:** yes\nThe Class label: below\nis long", [("The Class label: below\nis long", "yes", "")]),
        ("Class label: yes", [("", "yes", "")]),
        ("Class label:", [("", "", "copies_input")]),
        ("yes", []),
    ],
)
def test_labels_come_first(text: str, expected: list[tuple[str, str, str]]) -> None:
    assert read(text, classification=True) == expected


def test_the_last_instance_of_a_cut_answer_falls() -> None:
    text = "Example 1\nInput: a\nOutput: b\nExample 2\nInput: c\nOutput: d"
    assert [reason for *_, reason in read(text, finish="length")] == ["", "cut_off"]
    # What was cut stands in another task, which is not read.
    assert [reason for *_, reason in read(f"{text}\nTask: more", finish="length")] == ["", ""]


PIECES = st.sampled_from(
    ["Example 1", "Input:", "Output:", "Class label:", "Task:", "\n", "a", "b ", ":", "**", "none"]
)


@given(st.lists(PIECES, max_size=24).map("".join), st.booleans(), st.booleans(), st.sampled_from(["stop", "length"]))
def test_what_is_kept_is_whole(text: str, classification: bool, published: bool, finish: str) -> None:
    kept = [one for one in instances_of(text, finish, classification, published) if not one.reason]
    assert all(one.output and one.input != one.output and not one.output.endswith(":") for one in kept)
    given = [one.input for one in kept if one.input]
    assert len(set(given)) == len(given)
