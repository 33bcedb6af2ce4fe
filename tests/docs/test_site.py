"""The built site: the reference is that of the code, and nothing comes from elsewhere."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import fields
from functools import partial
from html import unescape
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from deployments.cli.app import COMMANDS
from deployments.docs.contracts import every_contract
from deployments.docs.phases import every_phase
from deployments.docs.reasons import reasons
from fanno_core.settings import Settings
from tests.docs.blocks import ROOT
from tests.tasks.test_phase import PHASES

LOADED = re.compile(
    r"<(?:script|img|iframe|source)\b[^>]*\bsrc=[\"']?([^\"'\s>]+)|<link\b[^>]*\bhref=[\"']?([^\"'\s>]+)"
)
WIDTHS = {"desktop": 1280, "phone": 390}


def reference(site: Path, name: str) -> str:
    return unescape((site / "reference" / f"{name}.html").read_text(encoding="utf-8"))


def test_every_setting_has_its_default_and_meaning(site: Path) -> None:
    page = reference(site, "settings")
    for section, group in Settings():
        for key, field in type(group).model_fields.items():
            assert f"<code>{section}.{key}</code>" in page
            assert str(field.description).split("`")[0].rstrip() in page


def test_every_column_has_its_type_and_meaning(site: Path) -> None:
    page = reference(site, "contracts")
    contracts = every_contract()
    assert {contract.__name__ for contract in contracts} >= {"Document", "Instruction", "Example", "Rejection"}
    for contract in contracts:
        assert f'id="{contract.__name__.lower()}"' in page
        for column in fields(contract):
            assert f"<code>{column.name}</code>" in page
            assert column.metadata["meaning"] in page


def test_every_command_has_its_options_and_examples(site: Path) -> None:
    page = reference(site, "commands")
    sections = dict(re.findall(r'<h3 id="(fanno-[a-z-]+)">(.*?)(?=<h[23] id|</article>)', page, re.S))
    assert {name.split("-")[1] for name in sections} == {*COMMANDS}
    for name, section in sections.items():
        assert f"{name.replace('-', ' ')}" in section.partition("<pre")[2], f"{name} has no example"
    assert "<code>--open-teachers-only</code>" in sections["fanno-run"]
    assert "<code>--tokens-per-second" in sections["fanno-plan"]


def test_every_phase_and_reason_is_there(site: Path) -> None:
    assert [phase.name for phase in every_phase()] == [phase.name for phase in PHASES]
    phases, codes = reference(site, "phases"), reference(site, "reasons")
    assert all(f"<code>{phase.name}@{phase.version}</code>" in phases for phase in PHASES)
    assert all(f"<code>{code}</code>" in codes for named in reasons().values() for code in named)


def test_the_figure_of_the_method_has_every_phase_in_order() -> None:
    text = (ROOT / "docs" / "method.md").read_text(encoding="utf-8").partition("<figcaption>")[0]
    assert re.findall(r"^\d\. `(\w+)`", text, re.M) == [phase.name for phase in every_phase()]


def test_every_page_of_docs_is_in_the_site(site: Path) -> None:
    pages = {page.relative_to(ROOT / "docs").with_suffix(".html") for page in (ROOT / "docs").rglob("*.md")}
    assert {str(page) for page in pages if not (site / page).exists()} == {"settings.html"}


def test_no_page_names_a_thing_to_load_from_elsewhere(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 20
    for page in pages:
        loaded = ["".join(found) for found in LOADED.findall(page.read_text(encoding="utf-8"))]
        assert len(loaded) > 3
        assert [address for address in loaded if address.startswith(("http", "//"))] == []


@pytest.fixture
def served(site: Path) -> Iterator[str]:
    """Address of the site on a server of its own: from the disk, browsers let no search worker start."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.slow
@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_browser_asks_nobody_and_nothing_is_too_wide(served: str, width: int, scheme: str) -> None:
    chromium = shutil.which("chromium")
    if not chromium:
        pytest.skip("chromium is not on this machine")
    from playwright.sync_api import sync_playwright

    asked: list[str] = []
    complaints: list[str] = []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        for name in ("index", "tutorial", "method", "how-to/report", "reference/settings", "reference/commands"):
            page.goto(f"{served}/{name}.html")
            page.wait_for_load_state("networkidle")
            assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} is wider than the screen"
            assert page.evaluate("document.body.dataset.mdColorScheme") == {"light": "default", "dark": "slate"}[scheme]
        page.keyboard.press("/")  # opens the search
        page.keyboard.type("bandit", delay=50)
        page.locator(".md-search-result__link").first.wait_for()
        browser.close()
    assert complaints == []
    assert [address for address in asked if not address.startswith((served, "data:", "blob:"))] == []
