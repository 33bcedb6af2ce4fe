"""Instructions of the teacher without weights."""

import itertools
import re

import pytest

from fanno_core.teachers.extractive.analysis import analyse
from fanno_core.teachers.extractive.instructions import different_instruction, openings_of, seed_instruction
from fanno_core.teachers.extractive.lexicon import data_file
from fanno_core.teachers.extractive.question import SHAPES, Question
from fanno_core.teachers.extractive.responses import TASKS
from fanno_core.teachers.extractive.wording import Draw, wordings
from tests.teachers.test_extractive import RICH

FORMS = ("imperative", "interrogative")
ANSWERED_BY = {
    "natural-language-inference": "entailment",
    "commonsense": None,
    "sentiment-analysis": "sentiment",
    "paraphrasing": "reword",
    "closed-book-qa": None,
    "structure-to-text": "records",
    "summarisation": "summary",
    "translation": ("reword", "codes"),
    "implicit-reasoning": None,
    "text-categorisation": "categories",
    "code-generation": "code",
    "mathematics": "maths",
}
COMBINATIONS = list(itertools.product(ANSWERED_BY, SHAPES, FORMS))
REFUSED = re.compile(
    r"\b(?:based on|according|given|mentioned|refer|provided|passage|text|paragraph|recent|current|now|today|yesterday"
    r"|tomorrow|soon|upcoming|recently|coming|currently|name)\b",
    re.IGNORECASE,
)


def seed(task_type: str, characteristic: str, form: str, document: str = RICH) -> str:
    tags = {"task_type": task_type, "characteristic": characteristic, "form": form}
    return seed_instruction({"document": document, **tags})


def passes_the_hard_filter(line: str) -> bool:
    letters = sum(c.isalpha() for c in line)
    return (
        len(line.split()) >= 5
        and line[-1] in ".?"
        and line.isascii()
        and not REFUSED.search(line)
        and letters >= len(line) - letters
    )


@pytest.mark.parametrize(("task_type", "characteristic", "form"), COMBINATIONS)
def test_every_combination_passes_the_hard_filter(task_type, characteristic, form):
    first = seed(task_type, characteristic, form).split("\n")[0]
    assert passes_the_hard_filter(first), first
    assert (first[-1] == "?") == (form == "interrogative")
    assert not re.search(r"[{}]|\bdocument\b", first)


def test_the_96_instructions_of_a_document_differ():
    assert len({seed(*tags) for tags in COMBINATIONS}) == 96


def test_another_document_gives_other_instructions():
    other = RICH.replace("bee", "wasp").replace("hive", "nest").replace("colony", "household")
    same = [tags for tags in COMBINATIONS if seed(*tags) == seed(*tags, document=other)]
    assert len(same) <= 2


@pytest.mark.parametrize(("task_type", "characteristic", "form"), COMBINATIONS)
def test_the_wording_alone_shows_the_task_and_its_difficulty(task_type, characteristic, form):
    first, _, material = seed(task_type, characteristic, form).partition("\n")
    question = Question(first, material, (analyse(RICH),))
    module = next((answer.__module__.rsplit(".", 1)[-1] for asks, answer in TASKS if asks(question)), None)
    assert module in (ANSWERED_BY[task_type] or (None,))
    if task_type != "mathematics":
        assert question.shape == characteristic


def test_all_wordings_pass_the_hard_filter():
    slots = dict.fromkeys(["a", "b", "c", "is_a", "does_a", "does_b", "matters_a", "discipline"], "bees")
    written = [
        wording.format_map(slots)
        for task_type, shape, form in COMBINATIONS
        if task_type != "mathematics"
        for wording in wordings(task_type, shape, form)
    ]
    different = data_file("templates.toml")["different"]
    written += [w.format_map(slots) for form in FORMS for w in different[form]]
    assert len(written) > 190
    assert [wording for wording in written if not passes_the_hard_filter(wording)] == []


def test_unknown_tags_still_give_an_instruction():
    for task_type in ("juggling", "different", "problems", ""):
        assert passes_the_hard_filter(seed(task_type, "wild", "shouted").split("\n")[0])


@pytest.mark.parametrize("document", ["", "123 456 !!! ###", "蜂蜜は甘い。" * 20, "word " * 300])
def test_documents_without_key_phrases_get_an_instruction_too(document):
    for tags in COMBINATIONS[::7]:
        assert passes_the_hard_filter(seed(*tags, document=document).split("\n")[0])


@pytest.mark.parametrize("rule", ["Write it as a question.", "Write it in the imperative."])
def test_think_different_begins_like_no_counterexample(rule):
    fields = {"document": RICH, "form_rule": rule, "openings": "", "counterexamples": ""}
    shown: list[str] = []
    for _ in range(40):
        shown.append(different_instruction(fields))
        quoted = ", ".join(f'"{" ".join(line.split()[:4])}"' for line in shown)
        listed = "\n".join(f"{number}. {line}" for number, line in enumerate(shown, 1))
        fields |= {"openings": quoted, "counterexamples": listed}
        fresh = different_instruction(fields)
        assert not fresh.lower().startswith(openings_of(fields))
        assert passes_the_hard_filter(fresh), fresh
        assert (fresh[-1] == "?") == ("question" in rule)


def test_augmented_instructions_use_no_names():
    named = RICH.replace("beekeeper", "beekeeper Ottilie Brandt").replace("The queen", "Queen Mathilda")
    for rule in ("question", "imperative"):
        assert not re.search("Ottilie|Brandt|Mathilda", different_instruction({"document": named, "form_rule": rule}))


def test_draws_follow_from_the_key_alone():
    first, second = Draw("a", "b"), Draw("a", "b")
    assert [first.below(100) for _ in range(20)] == [second.below(100) for _ in range(20)]
    assert [Draw("a", "b").below(10**6)] != [Draw("a", "c").below(10**6)]
    assert sorted(Draw("x").sample(range(9), 20)) == list(range(9))
