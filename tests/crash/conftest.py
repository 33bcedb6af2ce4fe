"""What every test of crashes compares with: a run that nothing befell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import Fanno, record_of, run_here
from tests.corpus import write_corpus
from tests.crash.scripted import DOCUMENTS, journalled, numbers, scripted, told


@dataclass(frozen=True)
class Reference:
    """A run from its beginning to its end: where it is, what it asked, and what came of it."""

    out: Path
    asked: Counter[int]
    dataset: dict[str, object]


@pytest.fixture(scope="session")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("documents"), DOCUMENTS)


@pytest.fixture(scope="session")
def reference(fanno: Fanno, documents: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reference]:  # noqa: ARG001
    out = tmp_path_factory.mktemp("reference") / "out"
    with scripted() as server:
        run_here([documents], out, *told(server))
        asked = numbers(server.seen)
    # Each question has a number of its own and was asked once, which is what the tests count on.
    assert asked == journalled(out)
    assert set(asked.values()) == {1}
    yield Reference(out, asked, record_of(out)["dataset"])
