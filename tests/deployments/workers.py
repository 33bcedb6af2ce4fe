"""A real `fanno worker`, with the stub in vLLM's place."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from deployments.server import ensure_server
from tests import stub_vllm
from tests.conftest import Fanno
from tests.processes import marked, wait_until

STOP_LIMIT_S = 15.0


@dataclass(frozen=True)
class Worker:
    """A worker that runs. All of its processes have `mark` in their environment."""

    process: subprocess.Popen[bytes]
    output: Path
    mark: str

    def told(self) -> str:
        """What it has printed."""
        return self.output.read_text(encoding="utf-8", errors="replace")

    def wait_for(self, text: str, limit_s: float = 60.0) -> None:
        """Waits until it has printed that."""
        wait_until(lambda: text in self.told() or self.process.poll() is not None, limit_s)
        assert text in self.told(), self.told()

    def end(self, number: int) -> int:
        """Sends a signal and waits until nothing is left; the exit code."""
        self.process.send_signal(number)
        code = self.process.wait(STOP_LIMIT_S)
        wait_until(lambda: not marked(self.mark), STOP_LIMIT_S)
        return code

    def clean(self) -> None:
        """Kills whatever a failed test has left."""
        for pid in marked(self.mark):
            os.kill(pid, signal.SIGKILL)
        self.process.wait()


StartWorker = Callable[..., Worker]


def start_worker(fanno: Fanno, folder: Path, *words: str, **environment: str) -> Worker:
    """Starts a worker in that folder, against the session's server."""
    ensure_server()  # started here, it does not carry the mark
    variables = fanno.environment | {"PREFECT_WORKER_QUERY_SECONDS": "1", "MARK": str(folder)} | environment
    output = folder / "worker.txt"
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "deployments", "worker", *words], cwd=folder, env=variables, stdout=file, stderr=file
        )
    return Worker(process, output, str(folder))


def stub_model(folder: Path) -> list[str]:
    """Options that serve a model of that folder by the stub, on the CPU."""
    (folder / "tiny").mkdir()
    (folder / "tiny" / "config.json").write_text("{}")
    python = folder / "python"
    # Called as `python -m vllm.entrypoints.openai.api_server ...`.
    python.write_text(
        f'#!/bin/sh\n[ "$2" = vllm.entrypoints.openai.api_server ] || exit 9\nshift 2\n'
        f'exec {sys.executable} {stub_vllm.__file__} "$@"\n'
    )
    python.chmod(0o755)
    return ["--model", "tiny", "--gpus", "none", "--vllm-python", str(python)]
