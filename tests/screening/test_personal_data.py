from __future__ import annotations

import time
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanno_core.screening.personal_data import (
    FINDERS,
    Finding,
    find_personal_data,
    mask,
    mask_rejected,
    treat_personal_data,
)
from fanno_core.screening.rules import apply_rules
from fanno_core.settings import Screen
from fanno_core.store.contracts import Document
from tests.screening import personal_data_held_out as wild
from tests.screening.personal_data_examples import FORMATS, harmless, personal

ROUNDS = 40
PERSONAL = "Write to ann@acme.io or call (212) 555-0187, not to the office."

GLUED = (
    "ann@acme.io",
    "(212) 555-0187",
    "512-34-5678",
    "AKIAQ7Q7Q7Q7Q7Q7Q7Q7",
    "phone",
    "2125550187",
    "x",
    "1",
    " ",
    "\n",
)

HOSTILE = {
    "letters": "a",
    "digits": "1",
    "spaced digits": "1 ",
    "hyphened digits": "11-",
    "dots": "a.",
    "ats": "a@",
    "domains": "a@a.a.",
    "spelt ats": "a at ",
    "spelt dots": "b dot ",
    "colons": "2001:",
    "octets": "1.",
    "countries": "GB82 ",
    "key heads": "-----BEGIN PRIVATE KEY-----",
    "key words": "key ",
    "token heads": "eyJaaaaaaaa.",
    "hyphens": "-",
    "brackets": "(",
    "plus": "+1 ",
    "logins": "://a:b@",
    "authorizations": "authorization: token ",
    "pairs": "06 12 ",
}


def kinds_of(text: str) -> list[str]:
    return [finding.kind for finding in find_personal_data(text)]


def document(text: str) -> Document:
    return Document(id="d1", text=text, source="s", location="1")


@pytest.mark.parametrize("kind", FORMATS)
def test_at_least_95_in_100_are_found_whole(kind):
    examples = list(personal(kind, ROUNDS, seed=1))
    missed = [
        text[start:end]
        for text, start, end in examples
        if not any(f.kind == kind and f.start <= start and end <= f.end for f in find_personal_data(text))
    ]

    assert len(missed) <= 0.05 * len(examples), missed[:5]


@pytest.mark.parametrize("kind", FORMATS)
def test_at_least_90_in_100_findings_are_right(kind):
    wrong = [text for text in harmless(ROUNDS, seed=2) if kind in kinds_of(text)]
    right = 0
    for true_kind in FORMATS:
        for text, start, end in personal(true_kind, ROUNDS, seed=3):
            for finding in find_personal_data(text):
                if finding.kind == kind and true_kind == kind and finding.start < end and start < finding.end:
                    right += 1
                elif finding.kind == kind:
                    wrong.append(text)

    assert len(wrong) <= 0.1 * (right + len(wrong)), wrong[:5]


@pytest.mark.parametrize("kind", wild.FORMATS)
def test_in_held_out_formats_recall_and_precision_hold(kind, capsys):
    """When these formats were first tried, api_key had a recall of 0.91, phone one of 0.93, and the other kinds 1.00.
    The patterns were then mended for four of the 106; values are drawn anew."""
    found = wrong = there = missed = 0
    for other in wild.FORMATS:
        for text, spans in wild.held_out(other, 12, seed=4):
            mine = [f for f in find_personal_data(text) if f.kind == kind]
            if other == kind:
                there += len(spans)
                missed += sum(not any(f.start <= start and end <= f.end for f in mine) for start, end in spans)
            right = [f for f in mine if other == kind and any(f.start < end and start < f.end for start, end in spans)]
            found += len(right)
            wrong += len(mine) - len(right)
    wrong += sum(kinds_of(text).count(kind) for text in wild.harmless(12, seed=5))
    recall, precision = 1 - missed / there, found / (found + wrong)
    with capsys.disabled():
        print(f"\n{kind}: recall {recall:.3f} of {there}, precision {precision:.3f} of {found + wrong}")

    assert len(wild.FORMATS[kind](Random(0))) >= 5
    assert recall >= 0.95
    assert precision >= 0.90


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("postgres://app:Xq7Lm2Vz9Kp4@db.acme.io/prod", ["api_key"]),
        ("postgres://user:password@localhost/prod", []),
        ("Authorization: token 9f8a7b6c5d4e3f2a1b0c", ["api_key"]),
        ("Authorization: Basic dXNlcjpwYXNzMTIzNDU2Nzg=", ["api_key"]),
        ("Authorization: token of good will", []),
        ("06 12 34 56 78", ["phone"]),
        ("01 02 03 04 05", []),
        ("0171 2345678", ["phone"]),
        ("version=39.43.0.1", []),
        ("jane@example.com and 212-555-0187 are set aside for examples", ["email", "phone"]),
        ("127.0.0.1, 10.1.2.3, 192.0.2.1, 224.0.0.251 and ::1 are nobody's", []),
        ("upgrade to version 81.2.69.160", []),
        ("the host 81.2.69.160", ["ip_address"]),
        ("078-05-1120 was never valid", []),
        ("4111 1111 1111 1112 fails the check digit", []),
        ("4111 1111 1111 1111 passes it", ["card"]),
        ("number 512-34-5678", ["ssn"]),
        ("number 512 34 5678", []),
        ("-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\n(cut off)", ["api_key"]),
        ("-----BEGIN PRIVATE KEY----- is the first line of such a file.", []),
    ],
)
def test_what_counts_as_personal(text, kinds):
    assert kinds_of(text) == kinds


@pytest.mark.parametrize(
    ("text", "within", "kind"),
    [("DE95 4111 1111 1111 1111 00", "card", "iban"), ("password: Q1w2E3r4T5y6U7i8@acme.io", "api_key", "email")],
)
def test_of_overlapping_findings_the_longer_stays(text, within, kind):
    assert list(FINDERS[within](text))
    assert kinds_of(text) == [kind]


@given(st.lists(st.sampled_from(GLUED)))
def test_findings_come_in_order_without_overlaps_and_masking_leaves_none(parts):
    text = "".join(parts)
    (masked,) = treat_personal_data([document(text)], Screen(personal_data="mask")).kept

    assert all(a.end <= b.start for a, b in pairwise(find_personal_data(text)))
    assert find_personal_data(masked.text) == []
    assert masked.personal_data or masked.text == text


@given(st.text())
def test_any_text_can_be_searched(text):
    assert all(0 <= f.start < f.end <= len(text) for f in find_personal_data(text))


@pytest.mark.parametrize("unit", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("kind", FINDERS)
def test_hostile_text_takes_linear_time(kind, unit):
    text = unit * (50_000 // len(unit))
    start = time.process_time()

    list(FINDERS[kind](text))

    assert time.process_time() - start < 2  # 0.4 s at most were measured; quadratic time would be minutes


def test_masking_keeps_the_document_and_names_the_kinds():
    outcome = treat_personal_data([document(PERSONAL), document("Nothing here.")], Screen(personal_data="mask"))

    masked, untouched = outcome.kept
    assert masked.text == "Write to <email> or call <phone>, not to the office."
    assert masked.id == "d1"
    assert masked.words == 10
    assert masked.personal_data == ("email", "phone")
    assert untouched == document("Nothing here.")


def test_rejecting_leaves_no_personal_data_behind():
    outcome = treat_personal_data([document(PERSONAL), document("Nothing here.")], Screen(personal_data="reject"))

    assert [kept.text for kept in outcome.kept] == ["Nothing here."]
    (rejection,) = outcome.rejected
    assert (rejection.phase, rejection.reason, rejection.detail) == ("privacy", "personal_data", "email, phone")
    assert "acme" not in rejection.text
    assert "555" not in rejection.text


def test_ignoring_changes_nothing():
    documents = [document(PERSONAL)]

    assert treat_personal_data(documents, Screen(personal_data="ignore")).kept == documents


@pytest.mark.parametrize(("how", "shown"), [("mask", "<email>"), ("reject", "<email>"), ("ignore", "ann@acme.io")])
def test_rows_that_earlier_phases_reject_hold_none_either(how, shown):
    settings = Screen(personal_data=how, min_words=30)
    outcome = mask_rejected(apply_rules([document(PERSONAL)], settings), settings)

    assert outcome.reasons == {"too_short": 1}
    assert shown in outcome.rejected[0].text


def test_masking_puts_each_kind_in_its_place():
    assert mask("a bb c", [Finding("x", 2, 4)]) == "a <x> c"
