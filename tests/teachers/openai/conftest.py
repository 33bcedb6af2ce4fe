from __future__ import annotations

from collections.abc import Iterator

import pytest

from fanno_core.teachers.openai import dispatch, watch
from tests.stub_openai import StubOpenAI


@pytest.fixture
def server() -> Iterator[StubOpenAI]:
    with StubOpenAI() as stub:
        yield stub


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses between attempts are a small part of what they are in earnest."""
    monkeypatch.setattr(dispatch, "FIRST_PAUSE_S", 0.005)
    monkeypatch.setattr(watch, "FIRST_LOOK_S", 0.002)
    monkeypatch.setattr(watch, "LONGEST_LOOK_S", 0.02)
    monkeypatch.setattr(watch, "EVERY_S", 0.1)
