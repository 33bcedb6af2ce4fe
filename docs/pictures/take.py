"""Takes the pictures of `docs/prefect-ui.md`: a real run, a real server, a real browser.

`python docs/pictures/take.py` deploys FANNO to a server of its own, runs `fanno/demo` with a worker, and looks at it in
Chromium. It takes about three minutes. The run's folder is a relative one, so that no picture shows a path of the
machine on which it was taken.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
OUT = "fanno-demo"
WIDTH, HEIGHT = 1280, 860
GRAPH, FIGURES, FORM = 500, 1120, 2180
SETTLE_MS = 2000


def main() -> None:
    """Makes a run in a folder of its own, and takes every picture of it."""
    with TemporaryDirectory() as folder:
        work = Path(folder)
        environment = {**os.environ, "FANNO_STATE": str(work / "state"), "PYTHONPATH": str(ROOT)}
        try:
            _call(work, environment, "deployments", "server", "start")
            server = json.loads((work / "state" / "server.json").read_text(encoding="utf-8"))["url"]
            environment["PREFECT_API_URL"] = server
            _deploy(work, environment)
            with _worker(work, environment), _browser() as page:
                _call(work, environment, "prefect", "deployment", "run", "fanno/demo", "--watch")
                _take_ui(page, server)
                _take(page, (work / OUT / "report" / "index.html").as_uri(), "report")
        finally:
            _call(work, environment, "deployments", "server", "stop")


def _call(folder: Path, environment: Mapping[str, str], module: str, *words: str) -> None:
    subprocess.run([sys.executable, "-m", module, *words], cwd=folder, env=environment, check=True)  # noqa: S603


def _deploy(folder: Path, environment: Mapping[str, str]) -> None:
    for pool in ("gpu", "cpu"):
        _call(folder, environment, "prefect", "work-pool", "create", pool, "--type", "process")
    file = ROOT / "deployments" / "prefect.yaml"
    _call(folder, environment, "prefect", "--no-prompt", "deploy", "--all", "--prefect-file", str(file))


@contextmanager
def _worker(folder: Path, environment: Mapping[str, str]) -> Iterator[None]:
    words = [sys.executable, "-m", "deployments", "worker", "--pool", "cpu"]
    with subprocess.Popen(words, cwd=folder, env=environment) as worker:  # noqa: S603
        try:
            yield
        finally:
            worker.terminate()


@contextmanager
def _browser() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        browser.close()


def _take_ui(page: Page, api: str) -> None:
    ui = api.removesuffix("/api")
    (run,) = _ask(api, "flow_runs/filter", {"flow_runs": {"name": {"like_": OUT}}})
    _take(page, f"{ui}/runs/flow-run/{run['id']}", "flow-run", GRAPH)
    _take(page, f"{ui}/runs/flow-run/{run['id']}", "artifacts", tab="Artifacts")
    for key, height in {"funnel": HEIGHT, "figures": FIGURES}.items():
        (artifact,) = _ask(api, "artifacts/latest/filter", {"artifacts": {"key": {"any_": [key]}}})
        _take(page, f"{ui}/artifacts/artifact/{artifact['latest_id']}", key, height)
    _take(page, f"{ui}/deployments", "deployments")
    full = httpx.get(f"{api}/deployments/name/fanno/full").raise_for_status().json()
    _take(page, f"{ui}/deployments/deployment/{full['id']}/run", "form", FORM)


def _ask(api: str, path: str, body: Mapping[str, object]) -> list[dict[str, object]]:
    found: list[dict[str, object]] = httpx.post(f"{api}/{path}", json=body).raise_for_status().json()
    return found


def _take(page: Page, address: str, name: str, height: int = HEIGHT, tab: str = "") -> None:
    page.set_viewport_size({"width": WIDTH, "height": height})
    page.goto(address, wait_until="networkidle")
    if tab:
        page.get_by_text(tab, exact=True).first.click()
        page.mouse.wheel(0, HEIGHT)
    page.wait_for_timeout(SETTLE_MS)
    page.screenshot(path=HERE / f"{name}.png")


if __name__ == "__main__":
    main()
