"""One Prefect server for the whole session, in a state folder of its own."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deployments.server import QUIET
from tests.corpus import write_corpus
from tests.s3 import anywhere, bucket, s3_endpoint  # noqa: F401 - fixtures

# How long Prefect may take to hand over what it still has to say.
LAST_WORDS_S = 20.0
# Small enough for a run of seconds, large enough for two seed lots, three windows and several shards.
SMALL = (
    "report.make=false",
    "seeds.documents=6",
    "seeds.per_document=24",
    "augment.window=30",
    "run.shard_rows=64",
    "screen.min_quality=0.3",
)


@dataclass(frozen=True)
class Ended:
    """A finished command."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Fanno:
    """The command line, as a user starts it."""

    state: Path

    @property
    def environment(self) -> dict[str, str]:
        """This process' environment, with the session's server."""
        ours = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
        return {**ours, "FANNO_STATE": str(self.state), "HF_HUB_OFFLINE": "1"}

    def __call__(self, *arguments: str | Path, **environment: str) -> Ended:
        """Runs `fanno` to its end."""
        command = [sys.executable, "-m", "deployments", *map(str, arguments)]
        done = subprocess.run(
            command, env=self.environment | environment, capture_output=True, text=True, timeout=300, check=False
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def run(self, corpus: str | Path, out: Path, *assignments: str) -> dict[str, Any]:
        """A run with small settings that has to end well; its record."""
        ended = self("run", "--corpus", corpus, "--out", out, *sets(*SMALL, *assignments))
        assert ended.code == 0, ended.err + ended.out
        return record_of(out)


def run_here(corpora: Sequence[Path], out: Path, *assignments: str) -> dict[str, Any]:
    """The same in this process, which saves the seconds of importing and of loading the encoder; its record."""
    from deployments.server import prefect_api
    from fanno_core.settings import load_settings
    from flows.fanno import fanno as flow

    with prefect_api():
        asyncio.run(flow([str(corpus) for corpus in corpora], str(out), load_settings(None, [*SMALL, *assignments])))
    return record_of(out)


def sets(*assignments: str) -> list[str]:
    """`--set` for each assignment."""
    return [word for assignment in assignments for word in ("--set", assignment)]


def record_of(out: Path) -> dict[str, Any]:
    """The run record of an output folder."""
    record: dict[str, Any] = json.loads((out / "run.json").read_text(encoding="utf-8"))
    return record


@pytest.fixture(scope="session")
def fanno(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fanno]:
    """The command line, with a server of this session's own; runs in this process report to it too."""
    command = Fanno(tmp_path_factory.mktemp("state"))
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("PREFECT_")]:
            patch.delenv(name)
        quiet = {**QUIET, "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL"}
        for name, value in {**quiet, "FANNO_STATE": str(command.state), "HF_HUB_OFFLINE": "1"}.items():
            patch.setenv(name, value)
        yield command
        _let_prefect_finish()
        command("server", "stop")


def _let_prefect_finish() -> None:
    """Sends Prefect's log and events while their server is there: at its end Python would wait a minute in vain."""
    from prefect.events.worker import EventsWorker
    from prefect.logging.handlers import APILogWorker

    for service in (APILogWorker, EventsWorker):
        service.drain_all(timeout=LAST_WORDS_S)


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("corpus"), 140)


@pytest.fixture(scope="session")
def finished(fanno: Fanno, corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output folder of a run; tests that change it work on a copy."""
    out = tmp_path_factory.mktemp("finished") / "out"
    fanno.run(corpus, out)
    return out
