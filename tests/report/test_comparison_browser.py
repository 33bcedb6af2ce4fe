"""The comparison's page in a real headless Chromium: drawn and quiet, at every width, by light and dark."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fanno_core.report.figures.methods import method_figures
from fanno_core.report.side_by_side import table_of
from fanno_core.report.write_comparison import write_comparison
from tests.report.drawn import seen
from tests.report.methods import NAMES, several_runs
from tests.report.numbers import HOSTILE

pytestmark = pytest.mark.slow

READY = "html[data-charts=drawn]"


@pytest.fixture(scope="module")
def page_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("comparison")
    return out / write_comparison(out, several_runs())[0]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_every_chart_is_drawn_and_nothing_is_asked_of_the_network(
    chromium: Any, page_path: Path, width: int, scheme: str
) -> None:
    page = seen(chromium, page_path, width, scheme, READY)
    assert page.said == []
    assert page.asked == [page_path.as_uri()]
    names = {figure.name for section in method_figures(several_runs()).values() for figure in section}
    assert page.drawn == names
    assert page.overflow <= 0
    assert (page.title, page.theme) == (f"{', '.join(NAMES)}: comparison", scheme)


def test_the_table_has_a_column_for_each_method_and_a_stop_its_sentence(chromium: Any, page_path: Path) -> None:
    page = chromium.new_page(viewport={"width": 1280, "height": 850})
    page.goto(page_path.as_uri())
    page.wait_for_selector(READY)
    table = page.locator("table").first
    assert table.locator("thead th").all_text_contents() == ["measure", *NAMES]
    assert table.locator("tbody tr").count() == len(table_of(several_runs()))
    assert HOSTILE in page.text_content("section[aria-labelledby=stopped]")
    page.click("#theme")
    page.wait_for_selector(".chart:not([data-drawn=dark])", state="detached")
    page.close()
