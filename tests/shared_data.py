"""Real data that stands beside a checkout of the project on some machines; tests that need it skip elsewhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

DATA = Path(__file__).parents[2] / "shared" / "data"


def shared(name: str) -> Path:
    """A file of the shared data; skips the test where it is absent."""
    path = DATA / name
    if not path.exists():
        pytest.skip(f"shared data {name} is not on this machine")
    return path


def shared_rows(name: str) -> list[dict[str, Any]]:
    """The rows of a JSON Lines file of the shared data; skips the test where it is absent."""
    return [json.loads(line) for line in shared(name).read_text(encoding="utf-8").splitlines()]
