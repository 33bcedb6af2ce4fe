"""What the teacher without weights reads out of a document."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanno_core.teachers.extractive.analysis import analyse
from fanno_core.teachers.extractive.central import centralities, nearness, terms_of
from fanno_core.teachers.extractive.lexicon import words
from fanno_core.teachers.extractive.sentences import clauses_of
from tests.teachers.test_extractive import RICH


def alone(document: str) -> list[str]:
    return [clause.text for clause in clauses_of(document) if clause.alone]


@pytest.mark.parametrize(
    ("document", "sentences"),
    [
        ("Bees make honey in a wooden hive. They store it for winter use.", ["Bees make honey in a wooden hive."]),
        ("However, bees make honey in a hive.", ["Bees make honey in a hive."]),
        ("Bees visit flowers, e.g. Clover, in early summer.", ["Bees visit flowers, e.g. Clover, in early summer."]),
        ("Dr. Falk keeps bees on a roof in Bonn.", ["Dr. Falk keeps bees on a roof in Bonn."]),
        ("A worker bee lives for six weeks in\nsummer.", ["A worker bee lives for six weeks in summer."]),
        ("See the section below for the tools of beekeepers.", []),
        ("How many bees live in a single hive?", []),
        ("Call `hive.open()` and pass {bees: 3} to the opener.", []),
        ("The wings of a bee\n- wax\n- honey\nHome page of beekeepers", []),
        ("Bees use [smoke](https://a.b/c) to [signal] danger [1].", ["Bees use smoke to signal danger."]),
    ],
)
def test_which_sentences_stand_alone(document, sentences):
    assert alone(document) == sentences


def test_key_phrases_are_nouns_of_the_document_best_first():
    phrases = analyse(RICH).phrases
    texts = [phrase.text for phrase in phrases]
    assert {"varroa mites", "worker bees"} <= set(texts[:6])
    assert all(phrase.text.lower() in RICH.lower() for phrase in phrases)
    assert not any(set(text.split()) & words("refused") for text in texts)


def test_phrases_carry_their_article_and_number():
    by_text = {phrase.text: phrase for phrase in analyse(RICH).phrases}
    assert by_text["varroa mites"].verb == "are"
    assert by_text["swarm"].full == "a swarm"
    document = (
        "An hour-glass stands beside an SQL server. A unicorn sleeps near a one-way street. All is lit by the moon."
    )
    assert {"an SQL server", "a unicorn", "the moon"} <= {phrase.full for phrase in analyse(document).phrases}


def test_central_sentences_share_words_with_the_others():
    weights = centralities([terms_of(t) for t in ("honey bees sting", "honey bees fly", "bees fly", "taxes rise")])
    assert min(weights) == weights[3]
    assert sum(weights) == pytest.approx(4, abs=1e-3)


def test_nearness_prefers_rare_shared_words():
    sentences = [terms_of(text) for text in ("bees collect nectar", "bees fear mites", "bees sleep")]
    scores = nearness(terms_of("Why do bees fear mites?"), sentences)
    assert scores[1] == max(scores)
    assert nearness((), sentences) == [0, 0, 0]


def test_the_same_text_is_analysed_once():
    assert analyse(RICH) is analyse(str(RICH.encode(), "utf-8"))


@given(st.lists(st.sampled_from(["bee", "hive", "honey", "wax", "queen"]), max_size=6).map(tuple))
def test_weights_are_positive_and_of_the_same_number(terms):
    weights = centralities([terms, ("bee", "wax"), terms])
    assert len(weights) == 3
    assert all(weight > 0 for weight in weights)
