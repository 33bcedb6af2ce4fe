"""The page as a file: what it holds, what it may do, and that text of documents stays text."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
import pytest

from fanno_core.dataset.made import open_made
from fanno_core.report.figures import figures_of
from fanno_core.report.numbers import Numbers
from fanno_core.report.page.headlines import headlines
from fanno_core.report.page.packed import CHUNK_ROWS, packed_documents, packed_rows
from fanno_core.report.page.page import page_bytes
from fanno_core.report.table import ReportRow, report_rows
from fanno_core.report.write import json_bytes, write_report
from fanno_core.store.location import Location
from tests.report.numbers import HOSTILE, empty_numbers, explanation, full_numbers, rows


class Elements(HTMLParser):
    """Every element of a page with its attributes and the text right in it."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, dict[str, str | None], list[str]]] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs), []))

    def handle_endtag(self, tag: str) -> None:
        self.found.append((f"/{tag}", {}, []))

    def handle_data(self, data: str) -> None:
        if self.found:
            self.found[-1][2].append(data)

    def of(self, *tags: str) -> Iterator[tuple[dict[str, str | None], str]]:
        return ((attributes, "".join(text)) for tag, attributes, text in self.found if tag in tags)


@pytest.fixture(scope="module")
def numbers() -> Numbers:
    return full_numbers()


@pytest.fixture(scope="module")
def some_rows() -> list[ReportRow]:
    return rows(CHUNK_ROWS + 10)


@pytest.fixture(scope="module")
def page(numbers: Numbers, some_rows: list[ReportRow]) -> str:
    return page_bytes(numbers, figures_of(numbers), some_rows).decode()


@pytest.fixture(scope="module")
def elements(page: str) -> Elements:
    return Elements(page)


def test_text_of_documents_is_never_markup(elements: Elements) -> None:
    assert not list(elements.of("img", "iframe", "link", "object", "base"))
    assert not [a for _, attributes, _ in elements.found for a in attributes if a.startswith("on")]
    assert any(HOSTILE in text for _, text in elements.of("p"))
    data = next(text for attributes, text in elements.of("script") if attributes.get("id") == "charts")
    assert HOSTILE in {point["instruction"] for point in json.loads(data)["specs"]["topics"]["data"]["values"]}


def test_only_its_own_scripts_run_and_nothing_is_fetched(elements: Elements) -> None:
    policy = next(a["content"] for a, _ in elements.of("meta") if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert "connect-src" not in rules and "unsafe" not in rules["script-src"] + rules["style-src"]
    scripts = [text for attributes, text in elements.of("script") if "type" not in attributes]
    assert rules["script-src"].split() == [
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in scripts
    ]
    assert len(scripts) == 7
    addresses = [
        value for _, attributes, _ in elements.found for n, value in attributes.items() if n in {"src", "href"}
    ]
    assert addresses and all(value and value.startswith("#") for value in addresses)


def test_headings_go_down_one_level_at_a_time(elements: Elements) -> None:
    levels = [int(tag[1]) for tag, _, _ in elements.found if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1 and levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_every_table_says_what_it_holds(elements: Elements) -> None:
    tags = [tag for tag, _, _ in elements.found]
    assert tags.count("caption") == tags.count("table") > 5
    assert all(attributes.get("scope") in {"col", "row"} for attributes, _ in elements.of("th"))


def test_ids_are_unique_and_links_lead_somewhere(elements: Elements, some_rows: list[ReportRow]) -> None:
    ids = [attributes["id"] for _, attributes, _ in elements.found if "id" in attributes]
    assert len(ids) == len(set(ids))
    known = {f"#{name}" for name in ids} | {f"#row-{row.id}" for row in some_rows}
    assert {attributes["href"] for attributes, _ in elements.of("a")} <= known


def test_the_same_input_gives_the_same_bytes(numbers: Numbers, some_rows: list[ReportRow], page: str) -> None:
    assert page_bytes(numbers, figures_of(numbers), some_rows).decode() == page


def test_rejected_examples_lead_to_their_explanation(numbers: Numbers) -> None:
    first, second = (row.id for row in numbers.funnel[1].examples["too_short"][:2])
    bytes_ = page_bytes(numbers, figures_of(numbers), [], [explanation(0, first)])
    elements = Elements(bytes_.decode())
    assert f"#row-{first}" in {attributes.get("href") for attributes, _ in elements.of("a")}
    assert {attributes["data-ids"] for attributes, _ in elements.of("script") if "data-ids" in attributes} == {first}
    commands = "".join(text for _, text in elements.of("code"))
    assert f"fanno explain {second} --out" in commands
    assert f"fanno explain {first} --out" not in commands


def test_a_preview_is_told(numbers: Numbers, page: str) -> None:
    assert "they are not training data" in page
    real = replace(numbers, preview=False)
    assert "they are not training data" not in page_bytes(real, figures_of(real), []).decode()


def test_a_run_without_measures_has_a_page_too() -> None:
    numbers = empty_numbers()
    assert "report</title>" in page_bytes(numbers, figures_of(numbers), []).decode()


def test_seconds_and_rates_that_were_not_measured_are_a_dash(numbers: Numbers) -> None:
    cost = tuple(replace(each, seconds=0.0) if each.phase == "seeds" else each for each in numbers.cost)
    page = page_bytes(replace(numbers, cost=cost), figures_of(numbers), []).decode()
    lines = page.partition("<caption>Cost by phase")[2].partition("</table>")[0].split("<tr>")[2:]
    seconds = [re.findall(r'class="n">([^<]*)<', line)[4:6] for line in lines]
    assert seconds[1] == seconds[-1] == ["–", "–"]
    assert seconds[0] == ["412.2", "64.8"]


def test_headlines_leave_out_what_was_not_measured(numbers: Numbers) -> None:
    assert [(each.value, each.means) for each in headlines(numbers)][:2] == [
        ("9,412", "instruction and response pairs"),
        ("88%", "of 10,660 instructions written became rows"),
    ]
    assert [each.means for each in headlines(empty_numbers())] == [
        "instruction and response pairs",
        "near-duplicates left, and 0 refusals",
    ]


def unpacked(chunks: list[str]) -> list[dict[str, Any]]:
    made = []
    for chunk in chunks:
        columns = json.loads(gzip.decompress(base64.b64decode(chunk)))
        made += [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    return made


def test_packed_rows_hold_every_field(some_rows: list[ReportRow]) -> None:
    packed = unpacked(packed_rows(some_rows))
    assert [row["id"] for row in packed] == [row.id for row in some_rows]
    last, row = packed[-1], some_rows[-1]
    assert last["document"] == row.document.id
    assert last["retrieved"] == [each.id for each in row.retrieved]
    assert (last["output"], last["flags"]) == (row.output, [*row.flags])
    assert last["answerable"] == pytest.approx(row.answerable, abs=1e-4)


def test_packed_documents_hold_each_document_once(some_rows: list[ReportRow]) -> None:
    packed = unpacked(packed_documents(some_rows))
    named = {each.id: each for row in some_rows for each in (row.document, *row.retrieved)}
    assert {each["id"]: each["excerpt"] for each in packed} == {name: each.excerpt for name, each in named.items()}
    assert len(packed) == len(named)


def test_json_holds_every_number_exactly(numbers: Numbers) -> None:
    read = orjson.loads(json_bytes(numbers))
    assert read["diversity"]["nearest"]["mean"] == numbers.diversity.nearest.mean
    assert read["quality"]["scores"]["ifd"]["histogram"]["counts"] == [*numbers.quality.scores["ifd"].histogram.counts]
    assert len(read["diversity"]["topics"]) == len(numbers.diversity.topics)
    assert {*read} == {*Numbers.__slots__}


def test_a_report_is_written_whole_and_without_figures_of_an_earlier_one(anywhere: Location) -> None:
    numbers = replace(empty_numbers(), funnel=full_numbers().funnel[:2])
    (anywhere / "report" / "figures").mkdir(parents=True, exist_ok=True)
    (anywhere / "report" / "figures" / "old.png").write_bytes(b"png")
    names = write_report(anywhere, numbers, [])
    assert names == ["report/index.html", "report/report.json", "report/figures/funnel-documents.png"]
    assert all((anywhere / name).read_bytes() for name in names)
    assert not (anywhere / "report" / "figures" / "old.png").exists()


def test_rows_of_a_run_carry_their_documents(finished: Path) -> None:
    made = open_made(finished)
    examples, table = made.examples(), report_rows(made)
    assert [row.id for row in table] == [example.id for example in examples]
    for row, example in zip(table, examples, strict=True):
        assert (row.document.id, row.document.source) == (example.document_id, example.source)
        assert (row.document.topic, row.document.community) == (example.topic, example.community)
        assert tuple(each.id for each in row.retrieved) == example.retrieved
        assert 0 < len(row.document.excerpt) <= 600
    assert any(row.counterexamples for row in table)
