"""The tiny Mistral, trained once a session; `FANNO_TINY_MISTRAL` names the folder of one that is there already."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from fanno_core import settings
from fanno_core.teachers.protocol import Teacher
from fanno_core.teachers.table import open_teacher
from tests.vllm.tiny_mistral import build_tiny_mistral


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if find_spec("vllm") is None:
        for item in items:
            if item.path.is_relative_to(Path(__file__).parent):
                item.add_marker(pytest.mark.skip(reason="needs vLLM: make test-vllm"))


@pytest.fixture(scope="session")
def tiny_mistral(tmp_path_factory: pytest.TempPathFactory) -> Path:
    built = os.environ.get("FANNO_TINY_MISTRAL")
    return Path(built) if built else build_tiny_mistral(tmp_path_factory.mktemp("models") / "tiny_mistral")


@pytest.fixture(scope="session")
def chosen(tiny_mistral: Path) -> settings.Teacher:
    return settings.Teacher(name="vllm", model=str(tiny_mistral), dtype="float32", min_choice_mass=0.5)


@pytest.fixture(scope="session")
def teacher(chosen: settings.Teacher) -> Iterator[Teacher]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")
        yield open_teacher(chosen)
