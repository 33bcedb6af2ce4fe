from __future__ import annotations

from pathlib import Path

import pytest

from tests.teachers.tiny_model import build_tiny_llama


@pytest.fixture(scope="session")
def tiny_llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("transformers", reason="needs fanno[models]")
    return build_tiny_llama(tmp_path_factory.mktemp("models") / "tiny_llama")


@pytest.fixture(scope="session")
def tiny_llama_of_two_heads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with 32 dimensions a head, the fewest that vLLM's kernels know."""
    return build_tiny_llama(tmp_path_factory.mktemp("models") / "tiny_llama", heads=2)
