"""The numbers of a finished run, and of a data set whose numbers are known."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from fanno_core.dataset.made import open_made
from fanno_core.report.make import contamination_of
from fanno_core.report.measure import measure
from fanno_core.report.numbers import Numbers
from tests.report import plain
from tests.report.measured import SMALL, never
from tests.report.planted import Planted, benchmark_vectors, publish_planted


@pytest.fixture(scope="package")
def numbers(finished: Path) -> Numbers:
    return measure(open_made(finished), never, SMALL)


@pytest.fixture(scope="package")
def rows(finished: Path) -> pd.DataFrame:
    return plain.dataset(finished)


@pytest.fixture(scope="package")
def planted(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Planted:
    return publish_planted(finished, tmp_path_factory.mktemp("planted") / "out")


@pytest.fixture(scope="package")
def planted_numbers(planted: Planted) -> Numbers:
    made = open_made(planted.out)
    overlaps = contamination_of(made, lambda texts: benchmark_vectors(texts, planted.out), [planted.benchmark])
    return measure(made, never, SMALL, overlaps)


@pytest.fixture(scope="package")
def language_of() -> Callable[[str], str]:
    """py3langid's own answer, the best of the languages that ISO 639-1 names."""
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages([name for name in identifier.labels if len(name) == 2 or name in {"und", "zxx"}])

    def named(text: str) -> str:
        language, probability = identifier.rank(text)[0]
        return language if probability >= 0.05 and len(language) == 2 else "und"

    return named


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    sync = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    with sync.sync_playwright() as playwright:
        # Containers have no user namespaces for its sandbox; it opens nothing but our own file.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()
