"""What a report reads in texts once more: with the libraries alone, with other patterns, and where it is known."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from ipaddress import ip_address

import numpy as np
import pandas as pd
import pytest
import textblob.en

from fanno_core.report.measures.verbs import verbs_of
from fanno_core.report.numbers import Diversity, Numbers, VerbObject
from tests.report import plain
from tests.report.planted import FOREIGN_ITERATION, Planted, benchmark_vectors
from tests.report.recompute import grams


def texts_of(rows: pd.DataFrame) -> list[list[str]]:
    """The texts of each row that it has."""
    return [[text for text in triple if text] for triple in zip(rows.instruction, rows.input, rows.output, strict=True)]


# Languages.


def test_languages_by_the_library(numbers: Numbers, rows: pd.DataFrame, language_of: Callable[[str], str]) -> None:
    assert numbers.quality.languages == Counter(language_of("\n".join(texts)) for texts in texts_of(rows))


def test_languages_that_are_known(
    planted_numbers: Numbers, planted: Planted, language_of: Callable[[str], str]
) -> None:
    known = Counter(row.language for row in planted.rows)
    assert planted_numbers.quality.languages == known
    assert known == Counter(language_of("\n".join(texts)) for texts in texts_of(plain.dataset(planted.out)))
    assert len(known) == 7


# Personal data.


def adds_up_by_luhn(card: str) -> bool:
    digits = [int(digit) for digit in reversed(card) if digit.isdigit()]
    return sum(sum(divmod(2 * digit, 10)) if odd % 2 else digit for odd, digit in enumerate(digits)) % 10 == 0


def adds_up_by_97(iban: str) -> bool:
    plain_iban = iban.replace(" ", "")
    return int("".join(str(int(sign, 36)) for sign in plain_iban[4:] + plain_iban[:4])) % 97 == 1


PERSONAL: Mapping[str, tuple[str, Callable[[str], bool]]] = {
    "email": (r"[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}", lambda _: True),
    "phone": (r"\+\d{1,3}(?: \d{2,5}){2,4}|\(\d{3}\) \d{3}-\d{4}", lambda _: True),
    "card": (r"\b4\d{3}(?: ?\d{4}){3}\b", adds_up_by_luhn),
    "iban": (r"\b[A-Z]{2}\d\d(?: ?\d{4}){4} ?\d\d\b", adds_up_by_97),
    "ssn": (r"\b\d{3}-\d\d-\d{4}\b", lambda _: True),
    "ip_address": (r"\b(?:\d{1,3}\.){3}\d{1,3}\b", lambda address: ip_address(address).is_global),
    "api_key": (r"\bAKIA[0-9A-Z]{16}\b", lambda _: True),
}


def kinds_in(texts: Iterable[str]) -> set[str]:
    found = (
        (kind, match[0]) for kind, (shape, _) in PERSONAL.items() for t in texts for match in re.finditer(shape, t)
    )
    return {kind for kind, match in found if PERSONAL[kind][1](match)}


def test_personal_data_by_other_patterns(numbers: Numbers, rows: pd.DataFrame) -> None:
    assert numbers.quality.personal_data == Counter(kind for texts in texts_of(rows) for kind in kinds_in(texts))


def test_personal_data_that_is_known(planted_numbers: Numbers, planted: Planted) -> None:
    known = Counter(kind for row in planted.rows for kind in row.kinds)
    assert planted_numbers.quality.personal_data == known
    rows = plain.dataset(planted.out)
    assert known == Counter(kind for texts in texts_of(rows) for kind in kinds_in(texts))
    assert known.keys() == PERSONAL.keys()


def test_flags(planted_numbers: Numbers, planted: Planted) -> None:
    flags = plain.dataset(planted.out)["flags"]
    assert planted_numbers.quality.flags == Counter(flag for row in flags for flag in row)


def test_refusals(numbers: Numbers, planted_numbers: Numbers, planted: Planted) -> None:
    known = sum(row.refused for row in planted.rows)
    assert planted_numbers.quality.refusals == planted_numbers.measures[0].refusals == known > 2
    assert numbers.quality.refusals == numbers.measures[0].refusals == 0  # the filter of responses lets none pass


# Root verbs, their objects, and how many verbs there are.


def figure_of(roots: Iterable[tuple[str, str]]) -> set[VerbObject]:
    """What the sunburst shows: 20 verbs, 4 objects each, and how often each verb stood alone; ties by the alphabet."""
    table = pd.DataFrame([root for root in roots if root[0]], columns=["verb", "object"])
    counts = table.groupby(["verb", "object"]).size().rename("count").reset_index()
    counts["of_verb"] = counts.groupby("verb")["count"].transform("sum")
    verbs = counts.sort_values(["of_verb", "verb"], ascending=[False, True]).verb.drop_duplicates()[:20]
    shown = counts[counts.verb.isin(verbs)].sort_values(["count", "object"], ascending=[False, True])
    first = pd.concat([shown[shown.object != ""].groupby("verb").head(4), shown[shown.object == ""]])
    return {
        VerbObject(row.verb, row.object, row.count_) for row in first.rename(columns={"count": "count_"}).itertuples()
    }


def test_verbs_that_are_known(planted_numbers: Numbers, planted: Planted) -> None:
    roots = [(row.verb, row.object) for row in planted.rows]
    found: Diversity = planted_numbers.diversity
    assert set(found.verb_objects) == figure_of(roots)
    assert len(found.verb_objects) == len(set(found.verb_objects))
    (own,) = planted_numbers.measures
    assert found.with_verb == own.with_verb == sum(verb != "" for verb, _ in roots) < len(roots)
    assert own.verbs == len({verb for verb, _ in roots} - {""}) == 22


def test_complexity_that_is_known(planted_numbers: Numbers, planted: Planted) -> None:
    table = plain.dataset(planted.out)
    table["verbs"] = [row.verbs for row in planted.rows]
    means = table[table.iteration != FOREIGN_ITERATION].groupby("iteration").verbs.mean()
    found = {each.iteration: each.complexity for each in planted_numbers.iterations}
    assert found.pop(FOREIGN_ITERATION) >= 0  # verbs are read in English alone
    assert found == pytest.approx(dict(means), abs=1e-6)
    assert len(means) >= 3


def plain_root(instruction: str) -> tuple[str, str] | None:
    """Verb and object where TextBlob's tags leave no doubt: one sentence that opens with a verb, "the", and a noun."""
    if re.search(r"[.?!:]\s", instruction):
        return None
    (verb, tag), *rest = textblob.en.tag(instruction[0].lower() + instruction[1:])
    tags = " ".join(tag for _, tag in rest)
    if textblob.en.parser.lexicon.get(verb) != "VB" or tag != "VB":
        return None
    if found := re.match(r"(?:DT )(?:JJ )*(?:NN|NNS) (?:IN|TO|,|CC)\b", tags):
        noun, tag = rest[len(found[0].split()) - 2]
        return verb, textblob.en.inflect.singularize(noun) if tag == "NNS" else noun
    return None


def test_verbs_of_plain_sentences_by_the_tags_alone(rows: pd.DataFrame) -> None:
    plain_rows = [(text, root) for text in rows.instruction if (root := plain_root(text))]
    assert len(plain_rows) > 20
    shown, with_verb, verbs = verbs_of(text for text, _ in plain_rows)
    assert set(shown) == figure_of(root for _, root in plain_rows)
    assert (with_verb, verbs) == (len(plain_rows), len({verb for _, (verb, _) in plain_rows}))


# Overlaps with a benchmark.


def test_contamination(planted_numbers: Numbers, planted: Planted) -> None:
    rows, asked = plain.dataset(planted.out), planted.benchmark.read_text().splitlines()
    runs = {run for text in asked for run in grams(re.findall(r"\w+", text.lower()), 13)}
    by_ngram = [
        not runs.isdisjoint(grams(re.findall(r"\w+", "\n".join(texts).lower()), 13)) or texts[0] in asked
        for texts in texts_of(rows)
    ]
    near = (plain.vectors(planted.out) @ benchmark_vectors(asked, planted.out).T).max(axis=1) >= 0.9
    (found,) = planted_numbers.quality.contamination
    assert (found.name, found.items) == ("benchmark.txt", len(asked))
    assert (found.by_ngram, found.by_embedding) == (sum(by_ngram), near.sum())
    assert found.rows == tuple(rows.id[np.array(by_ngram) | near])
    assert found.by_ngram > 5
    assert found.by_embedding >= 1
