import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fanno_core.instructions.cleaning import clean_instruction
from tests.shared_data import shared_rows

POEM = "Write a short poem about rain."

words = st.sampled_from(["rain", "Paris", "why", "3.5", "été", "so-called", '"ham"', "**bold**", "a*b", "東京"])
lines = st.builds(
    lambda inner, end: " ".join(inner) + end, st.lists(words, min_size=1, max_size=5), st.sampled_from(["", ".", "?"])
)
answers = st.lists(st.one_of(lines, st.just("")), min_size=1, max_size=6).map("\n".join)
preambles = st.sampled_from(
    [
        "",
        "Sure, here is an instruction:\n\n",
        "Sure! Here's an imperative instruction inspired by the document:\n",
        "Certainly! Below is one creative question that stands on its own:\n\n",
        "Here is an instruction: ",
        "Here's the question:\n",
        "Of course! ",
        "I'd be happy to help! Here is a task:\n",
        "I would be glad to help. ",
        "Sure thing! Here you go:\n",
    ]
)
labels = st.sampled_from(
    [
        "",
        "Instruction: ",
        "**Instruction:** ",
        "**Instruction**: ",
        "**Instruction**\n",
        "### Instruction:\n",
        "### Instruction\n",
        "Question 1: ",
        "PROMPT:\n",
    ]
)
marks = st.sampled_from(["{}", '"{}"', "“{}”", "«{}»", "**{}**", '**"{}"**', '"**{}**"', '""{}""', "```\n{}\n```"])


def test_published_equals_the_original():
    rows = shared_rows("golden/fanno_instruction_cleaning.jsonl")
    assert len(rows) == 240
    assert [list(clean_instruction(row["text"], "published")) for row in rows] == [row["expected"] for row in rows]


@given(preambles, labels, marks)
def test_wrappers_are_dropped(preamble: str, label: str, mark: str):
    assert clean_instruction(preamble + label + mark.format(POEM)) == (POEM, "")
    assume(not ("**" in label and "**" in mark))  # bold within bold is no Markdown
    assert clean_instruction(mark.format(f"{preamble}{label}{POEM}")) == (POEM, "")


@given(preambles, labels, marks)
def test_wrappers_are_dropped_before_an_input(preamble: str, label: str, mark: str):
    assert clean_instruction(f"{preamble}{label}{mark.format(POEM)}\n\nIt rained.") == (POEM, "It rained.")


@given(
    preambles,
    labels,
    st.sampled_from(["Input:", "input: ", "**Input:** ", "**Input**:", "### Input\n", "### Input:\n"]),
)
def test_input_label_starts_the_input(preamble: str, label: str, input_label: str):
    answer = f"{preamble}{label}Name the longest word\n\n{input_label}cat, horse\nmouse"
    assert clean_instruction(answer) == ("Name the longest word", "cat, horse\nmouse")


@pytest.mark.parametrize("nothing", ["None", "N/A", "(none)", "<noinput>", "No input.", ""])
def test_input_that_says_there_is_none_is_empty(nothing: str):
    assert clean_instruction(f"{POEM}\nInput: {nothing}") == (POEM, "")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("What is the capital\nof France?", ("What is the capital\nof France?", "")),
        (
            "Anna has 3 apples.\nBen has 2.\nHow many have both?",
            ("Anna has 3 apples.\nBen has 2.\nHow many have both?", ""),
        ),
        ("Which river flows through\nParis?", ("Which river flows through\nParis?", "")),
        ("Write a poem about the\nSeine", ("Write a poem about the\nSeine", "")),
        ("Shorten this\nIt rained all day.", ("Shorten this", "It rained all day.")),
        ("Which is true?\nA) one\nB) two", ("Which is true?", "A) one\nB) two")),
        ("Sort these words:\npear\nfig", ("Sort these words:", "pear\nfig")),
        ("Translate to German\n\nWhere is it?", ("Translate to German", "Where is it?")),
        ('**Label it as "spam" or "ham".**\n\nWin now!', ('Label it as "spam" or "ham".', "Win now!")),
        ("**Question: Why is it wet?**\n\nIt rained.", ("Why is it wet?", "It rained.")),
    ],
)
def test_instruction_ends_with_its_sentence(answer: str, expected: tuple[str, str]):
    assert clean_instruction(answer) == expected


@pytest.mark.parametrize(
    "answer",
    [
        '"Yes" or "no"',
        "**One** and **two**",
        '"Label it as "spam" or "ham"',
        "Here is a list of tasks: wash, cook. Which takes longer?",
        "Here is a question about x: is it fair?",
        "```python\nprint(1)\n```",
        "Instruction manuals are dull.",
        "Sure footed animals live where?",
        "Surely not.",
    ],
)
def test_what_only_looks_like_a_wrapper_stays(answer: str):
    assert clean_instruction(answer)[0].split("\n")[0] == answer.split("\n")[0]


@given(answers)
def test_no_word_is_lost_or_moved(answer: str):
    instruction, rest = clean_instruction(answer)
    kept = f"{instruction}\n{rest}".replace("*", "").replace('"', "").split()
    assert kept == answer.replace("*", "").replace('"', "").split()


@given(answers)
def test_cleaning_an_instruction_again_changes_nothing(answer: str):
    instruction, _ = clean_instruction(answer)
    assert clean_instruction(instruction) == (instruction, "")


@given(st.text(max_size=200), st.sampled_from(["default", "published"]))
def test_any_text_gives_stripped_parts(answer: str, mode: str):
    for part in clean_instruction(answer, mode):
        assert part == part.strip()
