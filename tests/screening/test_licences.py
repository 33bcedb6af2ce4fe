from __future__ import annotations

import json
from pathlib import Path

import pytest

from fanno_core.errors import BadSettings
from fanno_core.screening.licences import licence_fault
from fanno_core.screening.rules import apply_rules
from fanno_core.settings import Screen, make_settings
from fanno_core.store.contracts import Document
from tests.conftest import SMALL, Fanno, record_of, sets
from tests.corpus import documents

PROSE = " ".join(f"The keeper of bees number {n} writes a letter to her neighbour about honey." for n in range(3))


def document(licence: str, text: str = PROSE) -> Document:
    return Document(id=licence or "none", text=text, source="s", location="1", licence=licence)


def fault(licence: str, *licences: str) -> str:
    found = licence_fault(licence, Screen(require_licence=True, licences=licences))
    return found[0] if found else ""


def test_without_the_setting_no_licence_is_asked_for() -> None:
    rows = [document(""), document("whatever")]
    assert len(apply_rules(rows, Screen(max_repetition=1)).kept) == 2


@pytest.mark.parametrize("stated", ["", "other", "see the file LICENSE", "© Acme", "MIT AND Acme"])
def test_what_is_not_known_is_rejected(stated: str) -> None:
    assert fault(stated) == fault(stated, "MIT") == "licence_unknown"


@pytest.mark.parametrize("stated", ["MIT License", "cc by-nc 4.0", "llama3.1", "Acme OR MIT", "BSD-3-Clause AND 0BSD"])
def test_where_none_is_named_every_known_one_is_allowed(stated: str) -> None:
    assert fault(stated) == ""


@pytest.mark.parametrize(
    ("stated", "allowed", "reason"),
    [
        ("cc by 4.0", ["CC-BY"], ""),
        ("cc by 3.0", ["CC-BY"], ""),
        ("cc by 3.0", ["cc-by-4.0"], "licence_not_allowed"),
        ("CC BY-SA 4.0", ["CC-BY"], "licence_not_allowed"),
        ("CC BY-NC 4.0", ["CC-BY"], "licence_not_allowed"),
        ("LGPL-3.0", ["GPL"], "licence_not_allowed"),
        ("GPLv2+", ["GPL"], ""),
        ("MIT OR GPL-3.0-only", ["mit"], ""),
        ("MIT AND GPL-3.0-only", ["MIT"], "licence_not_allowed"),
        ("MIT AND GPL-3.0-only", ["MIT", "GPL"], ""),
    ],
)
def test_ids_and_families_are_allowed(stated: str, allowed: list[str], reason: str) -> None:
    assert fault(stated, *allowed) == reason


def test_the_detail_names_the_licence_and_never_what_a_document_says_of_itself() -> None:
    rows = [document("the canary sings"), document("GPLv3"), document("mit")]
    outcome = apply_rules(rows, Screen(require_licence=True, licences=("MIT",), max_repetition=1))
    assert [row.id for row in outcome.kept] == ["mit"]
    assert outcome.reasons == {"licence_not_allowed": 1, "licence_unknown": 1}
    assert {row.detail for row in outcome.rejected} == {"what is stated is no licence that is known", "GPL-3.0-only"}


def test_a_licence_that_does_not_exist_is_refused_as_a_setting() -> None:
    with pytest.raises(BadSettings, match=r"screen\.licences: .*CC-BYE is no SPDX id"):
        make_settings({"screen": {"licences": ["CC-BYE"]}})


def test_a_run_that_requires_licences_holds_no_row_of_another(fanno: Fanno, tmp_path: Path) -> None:
    stated = ("CC BY 4.0", "", "MIT", "proprietary")
    rows = [
        {"text": text, "license": stated[n % 4], "source": f"book {n % 4}"}
        for n, text in zip(range(32), documents(), strict=False)
    ]
    corpus, out = tmp_path / "corpus.jsonl", tmp_path / "out"
    corpus.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    small = sets(*SMALL, "seeds.documents=2", "augment.iterate=false", 'screen.licences=["CC-BY"]')
    ended = fanno("run", "--corpus", corpus, "--out", out, "--require-licence", "--open-teachers-only", *small)
    assert ended.code == 0, ended.err
    rejected = next(phase for phase in record_of(out)["phases"] if phase["name"] == "rules")["rejected"]
    assert rejected["licence_unknown"] >= 16
    assert rejected["licence_not_allowed"] >= 8
    made = [json.loads(line) for line in (out / "dataset" / "messages.jsonl").read_text().splitlines()]
    assert made
    card = (out / "dataset" / "README.md").read_text(encoding="utf-8")
    assert "| CC-BY-4.0 | book 0 |" in card
    assert "book 1" not in card
    assert "(licence `Apache-2.0`)" in card
