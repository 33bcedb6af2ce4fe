from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import yaml
from hypothesis import example as case
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from fanno_core.dataset.card import MOST_SOURCES, PREVIEW, Provenance, card_bytes, funnel_table
from fanno_core.settings import Publish
from fanno_core.store.contracts import Example

FUNNEL = [
    {"name": "ingest", "candidates": 12_345, "rows_kept": 12_345, "rejected": {}},
    {"name": "screen", "candidates": 12_345, "rows_kept": 12_000, "rejected": {"too_short": 45, "language": 300}},
]
PROVENANCE = Provenance("transformers/model@1", "Apache-2.0", "encoder@2", "direct", 42, ("en",), FUNNEL)
DIGEST = "0123456789abcdef" * 4
MARKDOWN = MarkdownIt("commonmark").enable("table")


def example(name: str = "i0", source: str = "bees.txt", licence: str = "CC0-1.0") -> Example:
    tags = ("multi-step", "commonsense", "imperative")
    made = ((), "think_different@0", "response_direct@0", "direct", (), "teacher", "t=0", "t=0", 0, 0)
    return Example(
        name, "Explain bees.", "", "They dance.", "d0", source, licence, "d0", 0, 1, *tags, *made, 0.1, 0.1, 0.9, 0.4, 3
    )


def card(
    rows: list[Example], provenance: Provenance = PROVENANCE, settings: Publish | None = None
) -> tuple[dict[str, Any], str]:
    """Front matter and body, split as the hub splits them."""
    text = card_bytes(rows, settings or Publish(), provenance, DIGEST).decode()
    opening, front, body = text.split("---\n", 2)
    assert opening == ""
    return yaml.safe_load(front), body


def structure(body: str) -> list[tuple[str, int]]:
    """The blocks of a body, without the words in them."""
    return [(token.type, token.level) for token in MARKDOWN.parse(body)]


def cells(body: str) -> list[list[str]]:
    """The rows of all tables, each a list of what is written in its cells, as rendered."""
    rows: list[list[str]] = []
    for token in MARKDOWN.parse(body):
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline" and rows and token.level > 3:
            rows[-1].append("".join(child.content for child in token.children or []))
    return rows


def test_front_matter_is_yaml_that_names_the_parquet_files() -> None:
    front, _ = card([example()], settings=Publish(name="my-bees.v1"))
    assert front["pretty_name"] == "my-bees.v1"
    assert front["language"] == ["en"]
    assert front["license"] == "other"
    assert front["configs"] == [
        {"config_name": "default", "data_files": [{"split": "train", "path": "train-*.parquet"}]}
    ]


@pytest.mark.parametrize("name", ["yes", "null", "1.0", "_", "2026-01-01", "ünï"])
def test_a_name_that_yaml_could_take_for_something_else_stays_a_name(name: str) -> None:
    text = card_bytes([example()], Publish(name=name), PROVENANCE, DIGEST).decode()
    front = text.removeprefix("---\n").split("\n---\n")[0]
    assert yaml.safe_load(front)["pretty_name"] == name


def test_languages_are_codes_and_absent_where_all_are_kept() -> None:
    norwegian, _ = card([example()], replace(PROVENANCE, languages=("no", "en")))
    assert norwegian["language"] == ["no", "en"]
    every, _ = card([example()], replace(PROVENANCE, languages=()))
    assert "language" not in every


@pytest.mark.parametrize(("count", "size"), [(0, "n<1K"), (999, "n<1K"), (1_000, "1K<n<10K"), (10_000, "10K<n<100K")])
def test_the_size_category(count: int, size: str) -> None:
    front, body = card([example()] * count)
    assert front["size_categories"] == [size]
    assert f"{count:,} instruction-response pairs" in body


@pytest.mark.parametrize(
    ("teacher", "noticed"),
    [
        ("extractive/rules@1", True),
        ("transformers/model@1", False),
        ("transformers/extractive@1", False),
        ("extractive-plus/model@1", False),
    ],
)
def test_the_preview_notice_is_there_for_the_extractive_teacher_alone(teacher: str, noticed: bool) -> None:
    _, body = card([example()], replace(PROVENANCE, teacher=teacher))
    assert (PREVIEW in body) is noticed
    assert ("Preview" in body) is noticed
    assert (
        f"Teacher `{teacher}` (licence `Apache-2.0`), encoder `encoder@2`, responses `direct`, random seed 42." in body
    )


def test_the_funnel_says_of_each_phase_what_came_and_why_it_went() -> None:
    assert funnel_table(FUNNEL).splitlines()[2:] == [
        "| ingest | 12,345 | 12,345 | - |",
        "| screen | 12,345 | 12,000 | too_short 45, language 300 |",
    ]
    assert funnel_table(FUNNEL) in card([example()])[1]


def test_licences_and_sources_are_counted_most_first() -> None:
    rows = [example(source="a"), *[example(source="b")] * 2, example(source="c"), example(source="b", licence="")]
    _, body = card(rows)
    found = cells(body)
    assert found.index(["CC0-1.0", "3", "4"]) < found.index(["not stated", "1", "1"])
    order = [["CC0-1.0", "b", "2"], ["CC0-1.0", "a", "1"], ["CC0-1.0", "c", "1"], ["not stated", "b", "1"]]
    assert found[-4:] == order


def test_spellings_of_one_licence_are_one_licence() -> None:
    spelt = ("CC BY 4.0", "cc-by-4.0", "https://creativecommons.org/licenses/by/4.0/")
    _, body = card([example(licence=name) for name in spelt])
    assert ["CC-BY-4.0", "1", "3"] in cells(body)


def test_a_teacher_whose_licence_nobody_knows_is_said_to_have_none() -> None:
    _, body = card([example()], replace(PROVENANCE, teacher_licence=""))
    assert "Teacher `transformers/model@1` (licence `not stated`)" in body


def test_many_sources_are_summed_up() -> None:
    sources = [f"s{n:02d}" for n in range(MOST_SOURCES + 5)]
    _, body = card([example(source=source) for source in [*sources, sources[0]]])
    assert ["CC0-1.0", "s00", "2"] in cells(body)
    assert ["CC0-1.0", "5 more", "5"] in cells(body)
    assert f"s{MOST_SOURCES + 4}" not in body
    named = [row for row in cells(body) if row[1:] and row[1] in sources]
    assert [row[1] for row in named] == sources[:MOST_SOURCES]


HOSTILE = st.text(st.sampled_from("|`\\\n\r\t\u2028\u0085\x0b -#>*_~[]()<!&:=+{}$aé1."), min_size=1, max_size=30)


@given(HOSTILE)
@case("a|b | c || d")
@case("a\n\n# A heading\n\n| x | y |\n| --- | --- |")
@case("```\ncode\n```")
@case("`digest: ` `` ```")
@case("\\|" * 100)
@case("|" * 300)
@case("a" * 119 + "|")
@case("ends in a backslash\\")
@case("\r\n---\r\nlicense: mit\r\n---\r\n")
@case("{digest} {rows} {0} %s $digest")
@case("\u2028# heading\u2029- list\u0085> quote")
@case("<!-- nothing after this is shown")
@case("| --- | --- |")
def test_no_name_of_a_source_or_licence_breaks_the_card(name: str) -> None:
    plain_front, plain = card([example()])
    for rows in ([example(source=name)], [example(licence=name)], [example(source=name, licence=name)]):
        front, body = card(rows)
        assert front == plain_front
        assert structure(body) == structure(plain)
        assert [len(row) for row in cells(body)] == [len(row) for row in cells(plain)]
        assert body.split("\n")[-2] == f"Data set digest: `{DIGEST}`"


def test_pipes_of_a_name_are_shown_and_backticks_are_softened() -> None:
    _, body = card([example(source="a|b `c`\nd")])
    assert ["CC0-1.0", "a|b 'c' d", "1"] in cells(body)
