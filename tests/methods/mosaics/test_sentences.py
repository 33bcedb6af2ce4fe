from __future__ import annotations

from random import Random

from fanno_core.methods.mosaics.demands import drawn_demand
from fanno_core.methods.mosaics.marks import all_tags, numberings, table
from fanno_core.methods.mosaics.sentences import drawn_format, drawn_sentence, read_demand, read_format

QUESTIONS = ("Name a bird.", "Say hello.", "Which planet is the largest one of all?", "Zoo")


def test_every_demand_is_read_from_its_sentence() -> None:
    for strategy in ("order", "mask"):
        for rule in table()[strategy]:
            for seed in range(60):
                random = Random(seed)
                demand = drawn_demand(strategy, rule, len(QUESTIONS), random)  # type: ignore[arg-type]
                assert read_demand(drawn_sentence(demand, QUESTIONS, random)) == demand


def test_all_tags_are_read_from_their_sentence() -> None:
    assert len(all_tags()) > 800
    for place, tags in enumerate(sorted(all_tags(), key=str)):
        assert read_format(drawn_format(tags, Random(place))) == (tags,)


def test_no_sentence_stands_in_two_places() -> None:
    groups = [
        *table()["order"].values(),
        *table()["mask"].values(),
        *table()["one"].values(),
        *table()["format"].values(),
    ]
    sentences = [sentence for group in groups for sentence in group]
    # Listed orders and listed masks differ; nothing that one rule says is said by another.
    assert len(sentences) == len(set(sentences))


def test_no_numbering_begins_as_another_does() -> None:
    marks = [style.mark(1) for style in numberings()]
    assert not [(one, other) for one in marks for other in marks if one != other and other.startswith(one)]


def test_prose_is_no_meta_instruction() -> None:
    for line in (
        "Respond in the order of importance.",
        "Put each response between two lines.",
        "",
        "1, 2, 3",
        "x" * 9000,
    ):
        assert read_demand(line) is None
        assert read_format(line) is None
