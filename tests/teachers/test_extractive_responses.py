"""Responses of the teacher without weights: grounded where they quote, right where they compute."""

import contextlib
import io
import itertools
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanno_core.teachers.extractive import codes, entailment, maths, snippets
from fanno_core.teachers.extractive.code import SNIPPETS
from fanno_core.teachers.extractive.prose import NOTHING_KNOWN
from fanno_core.teachers.extractive.question import SHAPES, Question
from fanno_core.teachers.extractive.responses import respond
from fanno_core.teachers.extractive.reword import reword
from fanno_core.teachers.extractive.sentences import clauses_of
from tests.teachers.test_extractive import RICH
from tests.teachers.test_extractive_instructions import FORMS, seed

PROSE = ("closed-book-qa", "commonsense", "implicit-reasoning")


def answered(instruction: str, **fields: str) -> str:
    return respond({"document": RICH, "instruction": instruction, **fields})


@pytest.mark.parametrize(("task_type", "shape", "form"), list(itertools.product(PROSE, SHAPES, FORMS)))
def test_every_quoted_sentence_comes_from_the_document(task_type, shape, form):
    answer = answered(seed(task_type, shape, form))
    quoted = [clause.text for clause in clauses_of(RICH) if clause.text in answer]
    assert len(quoted) >= 2
    frame = re.sub("|".join(map(re.escape, quoted)), "", answer)
    assert len(frame.split()) < 60
    assert NOTHING_KNOWN not in answer


@pytest.mark.parametrize(
    ("wording", "looks_like"),
    [
        ("Explain step by step what a newcomer should know about varroa mites.", r"1\. .+\n2\. .+"),
        ("What are the pros and cons of varroa mites?", r"(?s)In favour:\n- .+Caution:\n- .+|Points to weigh:\n- "),
        ("Write a letter that introduces varroa mites to a friend.", r"(?s)Hello,\n.+Warm regards"),
        (
            "Write a short dialogue in which a curious student asks an expert about varroa mites.",
            r"(?s)Student: .+\nExpert: ",
        ),
        ("What would somebody trained in economics want to know about varroa mites?", r"(?s)Economics asks .+:\n- "),
    ],
)
def test_the_answer_has_the_shape_that_the_wording_asks_for(wording, looks_like):
    answer = answered(wording)
    assert re.match(looks_like, answer), answer
    assert "varroa mites" in answer.lower()


def test_without_documents_it_says_so():
    assert respond({"instruction": "What is a hive?"}) == NOTHING_KNOWN
    assert answered("Which tax applies to yachts?") == NOTHING_KNOWN


def test_retrieved_documents_answer_and_strangers_among_them_do_not():
    retrieved = "Bumble bees nest in old mouse holes. The exchange rate of the euro fell sharply in spring."
    answer = answered("What is known about bumble bees?", retrieved=retrieved)
    assert "mouse holes" in answer
    assert "euro" not in answer


def test_answers_never_speak_of_a_document():
    for task_type, shape, form in itertools.product(PROSE, SHAPES, FORMS):
        answer = answered(seed(task_type, shape, form))
        assert not re.search(r"\b(?:passage|document|paragraph|provided|mentioned|according to)\b", answer)


@pytest.mark.parametrize("snippet", SNIPPETS, ids=lambda snippet: snippet.function.__name__)
def test_code_answers_run_and_give_the_result_they_state(snippet):
    terms = ["worker bee", "queen", "worker bee", "hive stand"]
    task = f"Write a Python function for this: {snippet.asked}.\nterms = {json.dumps(terms)}"
    answer = answered(task)
    source = re.search(r"```python\n(.*?)\n```", answer, re.DOTALL)[1]
    space: dict[str, object] = {}
    exec(compile(source, "answer", "exec"), space)  # noqa: S102
    result = space[snippet.function.__name__](terms)
    assert f"`{result!r}`" in answer


def test_every_code_seed_is_answered_with_code_and_a_result():
    for shape, form in itertools.product(SHAPES, FORMS):
        assert re.search(
            r"(?s)```python.+```\n\nFor these terms it returns `", answered(seed("code-generation", shape, form))
        )


def test_snippets_do_what_their_docstrings_say():
    assert snippets.unique_longest_first(["b", "aa", "b", "ab"]) == ["aa", "ab", "b"]
    assert snippets.group_by_initials(["worker bee", "wax block", "queen"]) == {
        "WB": ["worker bee", "wax block"],
        "Q": ["queen"],
    }
    assert snippets.all_longest([]) == []
    assert snippets.count_words(["Bee bee", "hive"]) == {"bee": 2, "hive": 1}
    assert snippets.without_vowels(["Queen bee"]) == ["Qn b"]
    assert snippets.shift_letters(["xyz Abc"]) == ["abc Def"]
    assert snippets.median_length(["a", "bb", "cccccc"]) == 2
    assert snippets.edit_distance(["kitten", "sitting"]) == 3


@pytest.mark.parametrize(
    ("solver", "numbers", "result"),
    [
        ("pages_at_start", {"people": 3, "daily": 4, "days": 2, "rest": 5}, "29 pages"),
        ("workshop_cost", {"room": 200, "people": 9, "lunch": 10, "grant": 50}, "240 euros"),
        ("cheaper_plan", {"fee": 60, "low": 5, "high": 11, "lessons": 10}, "both cost the same"),
        ("cheaper_plan", {"fee": 60, "low": 5, "high": 11, "lessons": 12}, "plan A is cheaper by 12 euros"),
        ("sceptics_claim", {"share": 50, "total": 240, "limit": 100}, "holds by 20 notes, so the doubt is not"),
        ("sceptics_claim", {"share": 15, "total": 130, "limit": 60}, "fails by 40.5 notes, so the doubt is justified"),
        ("readable_signs", {"rooms": 4, "signs": 9, "blank": 2}, "28 signs"),
        ("dragon_scrolls", {"start": 5, "times": 3, "burnt": 4}, "36 scrolls"),
        ("mean_and_range", {"first": 10, "second": 12, "third": 20, "fourth": 16}, "mean is 14.5 and the range is 10"),
        ("simple_interest", {"sum": 500, "rate": 3, "years": 4}, "560 euros"),
    ],
)
def test_word_problems_are_solved(solver, numbers, result):
    problem = next(problem for problem in maths.problems() if problem.solver == solver)
    for wording in (problem.imperative, problem.interrogative):
        assert result in answered(wording.format(a="bees", **numbers)).split("Answer: ")[1]


def test_plan_a_pays_from_the_first_lesson_at_which_it_costs_less():
    problem = next(problem for problem in maths.problems() if problem.solver == "cheaper_plan")
    answer = answered(problem.interrogative.format(a="bees", fee=60, low=5, high=11, lessons=12))
    assert "from lesson 11 on" in answer  # 10 lessons cost 110 either way


def test_every_maths_seed_is_solved():
    for shape, form in itertools.product(SHAPES, FORMS):
        assert maths.asks(Question(seed("mathematics", shape, form)))


@given(st.integers(0, 10**9 - 1), st.integers(0, 10**9 - 1))
def test_equations_in_the_working_are_true(room, lunch):
    problem = next(problem for problem in maths.problems() if problem.solver == "workshop_cost")
    answer = answered(problem.imperative.format(a="bees", room=room, lunch=lunch, people=9, grant=50))
    equations = re.findall(r"(\d[\d ×+-]+) = (-?\d+)", answer)
    assert len(equations) == 3
    for left, right in equations:
        assert eval(left.replace("×", "*")) == int(right)  # noqa: S307


@pytest.mark.parametrize(
    ("premise", "hypothesis", "verdict"),
    [
        ("Bees can fly.", "Bees cannot fly.", "contradiction"),
        ("Bees like sugar.", "It is not true that bees like sugar.", "contradiction"),
        ("Bees are insects, which have six legs.", "Bees are insects.", "entailment"),
        ("Bees are insects.", "Wasps are insects.", "neutral"),
        ("Bees are insects.", "Bees are insects that sting.", "neutral"),
    ],
)
def test_verdicts_on_hypotheses(premise, hypothesis, verdict):
    assert entailment.verdict(premise, hypothesis) == verdict
    assert answered(f"Does the hypothesis follow?\nPremise: {premise}\nHypothesis: {hypothesis}").startswith(
        verdict.capitalize()
    )


def test_hypotheses_made_from_a_premise_get_the_verdict_they_were_made_for():
    for clause in clauses_of(RICH):
        assert entailment.verdict(clause.text, entailment.negated(clause.text)) == "contradiction"
        if short := entailment.shortened(clause.text):
            assert entailment.verdict(clause.text, short) == "entailment"


def test_records_become_their_sentences():
    lines = "subject: the queen | verb: lays | object: eggs\nsubject: a drone | verb: cannot sting | object: an enemy"
    answer = answered(f"Sort these records about bees by subject, step by step.\n{lines}")
    assert answer == "1. A drone cannot sting an enemy.\n2. The queen lays eggs."


def test_sentiment_names_the_words_that_decide():
    answer = answered("Determine the sentiment of this sentence about honey.\nThe honey is terrible and boring.")
    assert answer.startswith("Sentiment: negative")
    assert '"terrible"' in answer


def test_categories_name_the_words_that_decide():
    answer = answered(
        "Classify this sentence about hives.\nCategories: rule, definition\nSentence: A hive is a home for bees."
    )
    assert answer.startswith("Category: definition")
    assert '"is a"' in answer


@pytest.mark.parametrize("table", ["reword", "plain"])
def test_rewording_changes_every_sentence_and_keeps_it_whole(table):
    for clause in clauses_of(RICH):
        new = reword(clause.text, table).text
        assert new != clause.text
        assert new[0].isupper()
        assert new.endswith(".")


def test_clauses_change_places():
    new = reword("When the hive is crowded, a swarm leaves with the queen.", "reword")
    assert new.moved
    assert new.text.endswith("a swarm leaves with the queen when the hive is crowded.")


@pytest.mark.parametrize(
    ("code", "term", "result"),
    [
        (codes.pig_latin, "queen bee", "eenquay eebay"),
        (codes.pig_latin, "apple yard", "appleway ardyay"),
        (codes.morse, "bee sos", "-... . . / ... --- ..."),
        (codes.spelled, "Hive 7", "Hotel India Victor Echo / "),
    ],
)
def test_codes(code, term, result):
    assert code(term) == result


def test_a_glossary_explains_terms_by_sentences_of_the_document():
    answer = answered("Translate these terms around bees into an English glossary.\nswarm\nvarroa mites")
    assert re.fullmatch(r"1\. swarm: .*swarm.*\n2\. varroa mites: .*[Vv]arroa mites.*", answer)


def test_a_summary_is_made_of_the_notes():
    notes = [clause.text for clause in clauses_of(RICH)][:4]
    answer = answered("Summarise these notes on bees and weigh which statement could be left out.\n" + "\n".join(notes))
    assert answer.startswith("Summary: ")
    assert sum(note in answer for note in notes) >= 1


def test_nothing_is_printed():
    with contextlib.redirect_stdout(io.StringIO()) as out:
        answered("What is a hive?")
    assert out.getvalue() == ""
