from __future__ import annotations

import shlex
from dataclasses import replace
from typing import Any

import hypothesis
import pytest
import yaml
from hypothesis import example as case
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from fanno_core.dataset.card import (
    MOST_SOURCES,
    PREVIEW,
    Contents,
    Provenance,
    card_bytes,
    funnel_table,
    how_made,
    run_command,
)
from fanno_core.settings import Publish, Settings, bytes_of, load_settings, make_settings
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
        {
            "config_name": "default",
            "description": f"digest {DIGEST}",
            "data_files": [{"split": "train", "path": "train-*.parquet"}],
        }
    ]


def test_exports_of_the_same_rows_are_told_apart_by_their_commands() -> None:
    commands = ["fanno export OUT --format openai --to FOLDER", "fanno export OUT --format sharegpt --to FOLDER"]
    told = [Contents({"train": "train.jsonl"}, "", command=command) for command in commands]
    cards = [card_bytes([example()], Publish(), PROVENANCE, DIGEST, contents).decode() for contents in told]
    found = [yaml.safe_load(text.split("---\n")[1])["configs"][0]["description"] for text in cards]
    assert found == [f"digest {DIGEST} {command}" for command in commands]


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
    assert ("written by a language model" in body) is not noticed
    assert (
        f"Teacher `{teacher}` (licence `Apache-2.0`), encoder `encoder@2`, responses `direct`, random seed 42." in body
    )


EXTRACTIVE = replace(PROVENANCE, teacher="extractive/rules@1", mode="rag+")
GIVEN = [{"name": "given", "candidates": 9, "rows_kept": 9, "rejected": {}}]
SEEDS = [{"name": "seeds", "candidates": 9, "rows_kept": 9, "rejected": {}}]


def by(method: str, teacher: str = "", iteration: int = 1) -> Example:
    return replace(example(), method=method, teacher=teacher, iteration=iteration, response_mode=method)


@pytest.mark.parametrize(("method", "way"), [("file", "as given"), ("mosaic", "mosaic"), ("ruler", "ruler")])
def test_of_rows_that_nobody_was_asked_for_no_teacher_is_named(method: str, way: str) -> None:
    _, body = card([by(method)], replace(EXTRACTIVE, funnel=GIVEN))
    for word in ("Preview", "extractive", "rag+", "language model", "templates", "augmented"):
        assert word not in body, word
    assert "Encoder `encoder@2`, random seed 42." in body
    assert "No teacher wrote these rows" in body
    assert [way, "1", "████████████████████ 100.0%"] in cells(body)


def test_rows_made_of_what_a_teacher_wrote_name_it_although_nobody_was_asked_for_them() -> None:
    _, body = card([by("mosaic")], replace(EXTRACTIVE, funnel=SEEDS))
    assert PREVIEW in body
    assert "Teacher `extractive/rules@1` (licence `Apache-2.0`), encoder `encoder@2`, random seed 42." in body


def test_one_row_by_a_teacher_is_enough_and_a_mode_belongs_to_fanno_alone() -> None:
    _, body = card([by("file"), by("reflect", "extractive/rules@1")], replace(EXTRACTIVE, funnel=GIVEN))
    assert PREVIEW in body
    assert "rag+" not in body
    assert {("as given", "1"), ("reflect", "1")} <= {(row[0], row[1]) for row in cells(body) if len(row) > 1}


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


@hypothesis.settings(max_examples=40)
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


def test_figures_are_those_of_the_rows() -> None:
    rows = [
        replace(example("i0"), instruction="one", output="a b", similarity=-1.0, task_type="", iteration=0),
        replace(example("i1"), instruction="one two", output="a b c d", similarity=0.2),
        replace(example("i2"), instruction="one two three", output="a b c d e f", similarity=0.4),
    ]
    found = cells(card(rows)[1])
    assert ["words of the instruction", "1", "1.50", "2", "2.50", "3"] in found
    assert ["words of the response", "2", "3", "4", "5", "6"] in found
    assert ["cosine to the nearest instruction before it", "0.20", "0.25", "0.30", "0.35", "0.40"] in found
    assert ["commonsense", "2", "█████████████ 66.7%"] in found
    assert ["none", "1", "███████ 33.3%"] in found
    assert ["augmented", "2", "█████████████ 66.7%"] in found
    assert ["seed", "1", "███████ 33.3%"] in found


def test_one_row_has_figures_and_no_rows_have_none() -> None:
    assert ["words of the response", "2", "2", "2", "2", "2"] in cells(card([example()])[1])
    assert "There are no rows." in card([])[1]


def test_the_command_that_makes_it_again_is_there_where_it_is_known() -> None:
    assert "## Make it again" in card([example()])[1]
    command = run_command(Settings())
    assert command == "fanno run --corpus DOCUMENTS --out OUT"
    assert f"```sh\n{command}\n```\n" in card([example()], replace(PROVENANCE, command=command))[1]


def test_the_command_names_the_corpus_that_it_is_told() -> None:
    assert run_command(Settings(), ["installed-docs"]) == "fanno run --corpus installed-docs --out OUT"


CHANGED = (
    "screen.languages=['en', 'de']",
    "screen.require_licence=true",
    "seeds.documents=20",
    'publish.system=Don\'t guess; say "unknown"',
    "teacher.name=transformers",
    "teacher.model=mistralai/Mistral-7B-Instruct-v0.3",
    "run.concurrency=8",
)


def test_the_command_sets_what_can_change_a_byte_and_reads_back_as_the_same_settings() -> None:
    settings = load_settings(None, CHANGED)
    words = shlex.split(run_command(settings))
    assert words[:6] == ["fanno", "run", "--corpus", "DOCUMENTS", "--out", "OUT"]
    assert set(words[6::2]) == {"--set"}
    assert bytes_of(load_settings(None, words[7::2]), Settings.model_fields) == bytes_of(
        settings, Settings.model_fields
    )
    assert "concurrency" not in run_command(settings)


@pytest.mark.parametrize("folder", ["/home/somebody/models/bees", "~/models/bees", "./models/bees"])
def test_the_command_names_no_folder_of_a_machine(folder: str) -> None:
    settings = load_settings(None, ["teacher.name=transformers", f"teacher.model={folder}"])
    assert shlex.split(run_command(settings))[-1] == "teacher.model=bees"


def test_a_command_cannot_end_its_block() -> None:
    front, body = card([example()], replace(PROVENANCE, command="fanno run --set 'publish.system=```\n# A heading'"))
    assert structure(body) == structure(card([example()], replace(PROVENANCE, command="fanno run"))[1])
    assert front["license"] == "other"


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({}, "made from unlabelled documents with FANNO (arXiv 2408.01323)"),
        (
            {"select": {"by": ["length"]}},
            "made from unlabelled documents with FANNO (arXiv 2408.01323), chosen by length",
        ),
        ({"method": {"name": "alpaca"}}, "made with alpaca"),
        (
            {"method": {"name": "mosaic", "given": ["/home/me/rows.json"]}},
            "made with mosaic from the rows of rows.json",
        ),
        (
            {"method": {"name": "", "given": ["rows.json"]}, "select": {"by": ["ifd"]}},
            "rows of rows.json, chosen by ifd",
        ),
    ],
)
def test_a_card_says_which_method_made_the_rows(values: dict[str, Any], told: str) -> None:
    assert how_made(make_settings(values)) == told


def test_the_command_of_a_method_has_its_options_and_its_files_by_name() -> None:
    method = {"name": "mosaic", "options": {"epochs": 2, "strategies": "mask"}, "given": ["/home/me/rows.json"]}
    command = run_command(make_settings({"method": method}))
    assert command == (
        "fanno run --out OUT --set method.name=mosaic "
        """--set 'method.options={"epochs" = 2, "strategies" = "mask"}' """
        """--set 'method.given=["rows.json"]'"""
    )
    assert load_settings(None, shlex.split(command)[5::2]).method.options == method["options"]
