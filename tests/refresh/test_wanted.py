"""What the names of documents stand for in a small run made by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from fanno_core.dataset.made import Made
from fanno_core.errors import RunStops
from fanno_core.outcome import Outcome
from fanno_core.refresh.wanted import Wanted, find_wanted
from fanno_core.store.contracts import Document, Rejection
from fanno_core.store.ledger import Store

HERON = "The heron of Quillhaven waits on one leg at the mill-race, and counts the 37 boats of the ferry man each day."
OWL = "The owl of Quillhaven sleeps in the bell tower, and nobody has seen it fly since the great storm of that autumn."
NOTICE = "Permission is hereby granted, free of charge, to any person obtaining a copy of this guide to the town."
A, B, C, D, E = (letter * 16 for letter in "abcde")


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """Five segments: two of one document, one of another with the same notice, one without an id, and a copy."""
    documents = [
        Document(A, HERON, "birds.jsonl", "row 1", carried_id="heron"),
        Document(B, f"{HERON[::-1]}\n\n{NOTICE}", "birds.jsonl", "row 1, segment 1", carried_id="heron"),
        Document(C, f"{OWL}\n\n{NOTICE}", "owls.txt", "", carried_id="guide"),
        Document(D, OWL[::-1], "birds.jsonl", "row 9", carried_id="guide"),
    ]
    copy = Rejection(
        E, "duplicates", "near_duplicate", f"repeats {A} (0.93)", E, "copies.txt", HERON.replace("37", "38")
    )
    store = Store(tmp_path)
    entries = [
        store.commit("ingest", "k1", 4, Outcome(documents, [], 4), {"000": documents}, Document, {}),
        store.commit("duplicates", "k2", 5, Outcome(documents, [copy], 5), {"000": documents}, Document, {}),
    ]
    return Made(tmp_path, {"work": {entry.phase: [entry.key] for entry in entries}})


def found(made: Made, *names: str) -> Wanted:
    return find_wanted(made, names)


def test_a_segment_and_the_copy_that_it_had_displaced(made: Made) -> None:
    wanted = found(made, A)
    assert wanted.segments == {A, E}
    assert wanted.copies == {E}
    assert {*wanted.read} == {HERON, HERON.replace("37", "38")}
    assert wanted.others == ()


def test_the_corpus_own_id_names_every_segment_of_the_document(made: Made) -> None:
    assert found(made, "heron").segments == {A, B, E}


def test_a_source_names_all_that_was_read_from_there(made: Made) -> None:
    assert found(made, "owls.txt").segments == {C}
    assert found(made, "copies.txt").segments == {E}


def test_what_a_staying_document_holds_too_is_its_own(made: Made) -> None:
    wanted = found(made, B)
    assert wanted.others == (C,)
    assert not wanted.passages.stand_in(NOTICE.encode())
    assert wanted.passages.stand_in(HERON[::-1].encode())
    both = found(made, B, C)
    assert both.others == ()
    assert both.passages.stand_in(NOTICE.encode())


def test_a_copy_alone_leaves_what_it_repeats(made: Made) -> None:
    wanted = found(made, E)
    assert wanted.segments == {E}
    assert wanted.others == (A,)


@pytest.mark.parametrize("name", ["guide", "", " ", "nobody", "f" * 16, "birds"])
def test_what_is_ambiguous_unknown_or_empty_is_refused(made: Made, name: str) -> None:
    with pytest.raises(RunStops, match="several sources" if name == "guide" else "nothing in"):
        found(made, name)
