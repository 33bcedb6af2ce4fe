"""The report in a real headless Chromium: drawn, quiet, quick, and usable by keyboard at every width."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from deployments.cli.explain import _parts
from fanno_core.dataset.made import Made, open_made
from fanno_core.lineage.explain import explain
from fanno_core.lineage.explanation import Explanation
from fanno_core.report.explained import evenly, explained
from fanno_core.report.figures import figures_of
from fanno_core.report.measures.funnel import funnel_of
from fanno_core.report.table import ReportRow, report_rows
from fanno_core.report.write import write_report
from fanno_core.settings import Report
from tests.report.drawn import seen
from tests.report.numbers import HOSTILE, empty_numbers, explanation, full_numbers, rows

T = TypeVar("T")

pytestmark = pytest.mark.slow

READY = "html[data-rows=ready][data-charts=drawn]"
STALL_MS = 200
LARGEST_BYTES = 15_000_000


@pytest.fixture(scope="module")
def table() -> list[ReportRow]:
    return rows(300)


@pytest.fixture(scope="module")
def page_path(table: list[ReportRow], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("report")
    return out / write_report(out, full_numbers(), table, [explanation(0, table[1].id, HOSTILE)])[0]


@pytest.fixture
def opened(chromium: Any, page_path: Path) -> Iterator[Any]:
    """The page of 300 rows at desktop width."""
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    page.goto(page_path.as_uri())
    page.wait_for_selector(READY)
    yield page
    page.close()


def found(page: Any) -> int:
    """How many rows the table says that it found."""
    page.wait_for_selector("#table[aria-busy=false]")
    words = page.text_content("#found").replace(",", "").split()
    return int(words[-1]) if words[-1].isdigit() else 0


def search(page: Any, **fields: str) -> int:
    for name, value in fields.items():
        field = page.locator(f"#filters [name={name}]")
        if field.evaluate("field => field.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)
    page.wait_for_timeout(400)  # longer than the pause after the last key
    return found(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_every_chart_is_drawn_and_nothing_is_asked_of_the_network(
    chromium: Any, page_path: Path, width: int, scheme: str
) -> None:
    page = seen(chromium, page_path, width, scheme, READY)
    assert page.said == []
    assert page.asked == [page_path.as_uri()]
    names = {figure.name for section in figures_of(full_numbers()).values() for figure in section}
    assert page.drawn == names
    assert page.overflow <= 0
    assert (page.title, page.theme) == ("FANNO on web mix: report", scheme)


def test_on_a_phone_every_button_is_in_sight(chromium: Any, page_path: Path) -> None:
    page = chromium.new_page(viewport={"width": 390, "height": 850})
    page.goto(page_path.as_uri())
    page.wait_for_selector(READY)
    theme = page.locator("#theme").bounding_box()
    before, after = (page.locator(name).bounding_box() for name in ("#before", "#after"))
    page.close()
    assert theme["x"] >= 0
    assert theme["x"] + theme["width"] <= 390
    assert before["y"] == after["y"]


def test_search_and_filters_find_what_is_there(opened: Any, table: list[ReportRow]) -> None:
    assert found(opened) == len(table)
    word = table[120].output.split()[3]
    holding = [row for row in table if word.lower() in f"{row.instruction} {row.input} {row.output}".lower()]
    assert search(opened, search=word) == len(holding) > 0
    assert search(opened, search="") == len(table)
    chosen = [row for row in table if row.iteration == 3 and row.form == "imperative"]
    assert search(opened, iteration="3", form="imperative") == len(chosen) > 0
    assert search(opened, iteration="any", form="any", flags="link") == sum("link" in row.flags for row in table)
    assert search(opened, flags="any", task_type="code") == sum(row.task_type == "code" for row in table)
    assert search(opened, task_type="any", topic="4") == sum(row.document.topic == 4 for row in table)
    assert search(opened, topic="any", source="shelf-7/") == sum("shelf-7/" in row.document.source for row in table)
    assert search(opened, search="no such words anywhere") == 0
    opened.click("button[type=reset]")
    opened.wait_for_timeout(100)
    assert found(opened) == len(table)


def test_rows_come_in_pages_of_fifty(opened: Any, table: list[ReportRow]) -> None:
    assert opened.locator("#table tbody tr").count() == 50
    for _ in range(5):
        opened.click("#after")
    assert opened.text_content("#found") == "Rows 251 to 300 of 300"
    assert opened.is_disabled("#after")
    assert table[250].instruction in opened.text_content("#table tbody tr:first-child")


def test_a_row_opens_by_keyboard_and_gives_the_focus_back(opened: Any, table: list[ReportRow]) -> None:
    opened.focus("#after")
    for _ in range(3):
        opened.keyboard.press("Tab")
    opened.keyboard.press("Enter")
    opened.wait_for_selector("dialog[open]")
    row = table[2]
    told = opened.text_content("dialog")
    for text in (row.output, row.document.source, row.document.excerpt, row.instruction_prompt, row.response_sampling):
        assert text in told
    assert f"fanno explain {row.id} --out '" in told
    opened.keyboard.press("Escape")
    assert opened.locator("dialog[open]").count() == 0
    assert opened.evaluate("document.activeElement.textContent") == row.instruction


def test_counterexamples_lead_to_their_rows(opened: Any, table: list[ReportRow]) -> None:
    row = table[5]
    opened.evaluate(f"location.hash = 'row-{row.id}'")
    opened.wait_for_selector("dialog[open]")
    opened.click("dialog a")
    opened.wait_for_selector(f"#lineage-title:text-is('row {row.counterexamples[0]}')")


@pytest.mark.parametrize(("number", "times"), [(0, 5), (1, 18)], ids=["of the table", "explained"])
def test_hostile_text_is_shown_as_text(opened: Any, table: list[ReportRow], number: int, times: int) -> None:
    opened.evaluate(f"location.hash = 'row-{table[number].id}'")
    opened.wait_for_selector(f"#lineage-title:text-is('row {table[number].id}')")
    assert opened.text_content("dialog").count(HOSTILE) >= times
    assert opened.locator("img").count() == 0


def aside(work: Coroutine[Any, Any, T]) -> T:
    """What comes of the work, done in another thread: Playwright has a loop in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


@pytest.fixture(scope="module")
def real(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Made, Path]:
    """A finished run, and its page with every row explained."""
    made, out = open_made(finished), tmp_path_factory.mktemp("real")
    numbers, rows_ = replace(empty_numbers(), funnel=funnel_of(made)), report_rows(made)
    return made, out / write_report(out, numbers, rows_, aside(explained(made, numbers, rows_)))[0]


def test_a_dialog_tells_what_explain_tells(chromium: Any, real: tuple[Made, Path]) -> None:
    made, path = real
    rejected = {(row.phase, row.reason): row.id for row in sorted(made.rejections(), key=lambda row: row.id)[::-1]}
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(path.as_uri())
    page.wait_for_selector(READY)
    for name in [*(row.id for row in made.examples()[:5]), *rejected.values()]:
        told = aside(explain(made, name))
        page.evaluate(f"location.hash = 'row-{name}'")
        page.wait_for_selector(f"#lineage-title:text-is('{told.kind} {name}')")
        assert headings_of(page) == [heading for heading, _ in _parts(told)]
        texts = page.eval_on_selector_all("dialog .text", "all => all.map((each) => each.textContent)")
        assert {text for text in texts_of(told) if text} <= {*texts}
        assert page.locator("dialog tbody tr").count() == len(told.filters) + len(told.screening)
        shown = page.text_content("dialog")
        for check in told.filters + told.screening:
            assert check.score is None or f"{check.score:.4g}" in shown
            assert check.detail in shown
    page.close()
    assert said == []
    assert asked == [path.as_uri()]


def headings_of(page: Any) -> list[str]:
    found: list[str] = page.eval_on_selector_all("dialog h2, dialog h3", "all => all.map((each) => each.textContent)")
    return found


def texts_of(told: Explanation) -> list[str | None]:
    """Everything that is shown in full."""
    return [
        *(text for asked in told.questions for text in (asked.text, asked.answer)),
        *(shown.text for shown in (*told.counterexamples, *told.retrieved)),
        *([told.instruction.question] if told.instruction else []),
        *([told.response.text] if told.response else []),
        *([told.document.text] if told.document else []),
    ]


def test_a_rejected_example_opens_and_gives_the_focus_back(chromium: Any, real: tuple[Made, Path]) -> None:
    page = chromium.new_page(viewport={"width": 390, "height": 850})
    page.goto(real[1].as_uri())
    page.wait_for_selector(READY)
    page.click("details:has(.rejected) summary")
    page.focus(".rejected a")
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog[open]")
    assert "rejected by" in page.text_content("dialog .failed")
    assert (
        page.evaluate("document.querySelector('dialog').scrollWidth - document.querySelector('dialog').clientWidth")
        <= 0
    )
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.closest('.rejected') !== null")
    assert page.evaluate("location.hash") == "#funnel"
    page.close()


def test_the_switch_goes_from_light_to_dark(opened: Any) -> None:
    assert opened.locator(".chart[data-drawn=light]").count() > 25
    opened.click("#theme")
    opened.wait_for_selector(".chart:not([data-drawn=dark])", state="detached")
    assert opened.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(22, 28, 34)"


def test_paper_gets_the_light_theme_without_controls(opened: Any) -> None:
    opened.click("#theme")
    opened.emulate_media(media="print")
    assert not opened.is_visible("nav") and not opened.is_visible("#filters")
    assert opened.pdf(format="A4").startswith(b"%PDF")


def test_ten_thousand_rows_open_and_filter_without_a_stall(chromium: Any, tmp_path: Path) -> None:
    table = rows(10_000)
    told = [explanation(number, row.id) for number, row in enumerate(evenly(table, Report().explained_rows))]
    path = tmp_path / write_report(tmp_path, full_numbers(), table, told)[0]
    assert path.stat().st_size < LARGEST_BYTES
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    chromium.start_tracing(page=page, categories=["toplevel"])
    page.goto(path.as_uri())
    page.wait_for_selector(READY, timeout=90_000)
    assert found(page) == 10_000
    assert search(page, search="court") > 5_000
    assert search(page, search="court songs", iteration="3") > 100
    page.click("#table tbody button")
    page.wait_for_selector("dialog[open]")
    longest = longest_task_ms(json.loads(chromium.stop_tracing())["traceEvents"])
    page.close()
    assert 1 < longest < STALL_MS


def longest_task_ms(events: list[dict[str, Any]]) -> float:
    """The longest task of the page's main thread, by the processor's time: on a quiet machine that is what one waits.

    PerformanceObserver's `longtask` tells the wall's time, in which other tests of this machine have their share.
    """
    names = (event for event in events if event["name"] == "thread_name")
    main = {(event["pid"], event["tid"]) for event in names if event["args"]["name"] == "CrRendererMain"}
    tasks = (event for event in events if event["name"] == "ThreadControllerImpl::RunTask")
    return max(event.get("tdur", 0) for event in tasks if (event["pid"], event["tid"]) in main) / 1000
