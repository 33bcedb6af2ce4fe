"""What is declared in `deployments/prefect.yaml`, put on a server by the commands that the documentation shows."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).parents[2] / "deployments" / "prefect.yaml"


def prefect(url: str, *words: str) -> str:
    """Prefect's own command, away from the checkout; it has to end well."""
    command = [sys.executable, "-m", "prefect", *words]
    variables = {**os.environ, "PREFECT_API_URL": url, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        command, cwd=FILE.parents[2].parent, env=variables, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-2000:]
    return done.stdout


def deploy_changed(url: str, folder: Path, entrypoint: str, changed: dict[str, Any]) -> None:
    """Deploys one of those that are declared, with changes, by a file in a folder."""
    declared = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    [found] = [one for one in declared["deployments"] if one["entrypoint"] == entrypoint]
    file = folder / "prefect.yaml"
    file.write_text(yaml.safe_dump(declared | {"deployments": [found | changed]}), encoding="utf-8")
    prefect(url, "--no-prompt", "deploy", "--all", "--prefect-file", str(file))
