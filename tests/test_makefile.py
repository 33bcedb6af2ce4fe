from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.skipif(not shutil.which("make"), reason="needs make")
def test_the_demo_says_at_its_end_how_to_go_on() -> None:
    told = subprocess.run(
        ["make", "--no-print-directory", "-n", "demo"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert "source .venv/bin/activate" in told.splitlines()[-1]
    assert "source .venv/bin/activate" in (ROOT / "README.md").read_text(encoding="utf-8")
