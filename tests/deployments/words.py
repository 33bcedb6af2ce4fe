"""The command line in this process, which saves each test the seconds of importing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.main import get_command

from deployments.cli import app
from tests.conftest import Ended

Here = Callable[..., Ended]


def here_with(capsys: pytest.CaptureFixture[str]) -> Here:
    """Runs the words of a command line to their end."""

    def run(*words: str | Path) -> Ended:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            get_command(app).main([str(word) for word in words], prog_name="fanno")
        told = capsys.readouterr()
        return Ended(int(ended.value.code or 0), told.out, told.err)

    return run
