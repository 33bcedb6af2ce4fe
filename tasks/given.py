"""Rows of instruction files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from fanno_core.documents.readers.opening import digest_of
from fanno_core.errors import BadCorpus, RunStops
from fanno_core.methods.given import given_rows
from fanno_core.outcome import Outcome
from fanno_core.store.contracts import Example
from tasks.phase import Job, Phase, phase_task
from tasks.run import Run

PHASE = Phase("given", version=1, contract=Example, settings=())


@dataclass(frozen=True, slots=True)
class InstructionFile:
    """A file, and the SHA-256 of its bytes as the run found it."""

    path: str
    name: str
    digest: str


@phase_task(PHASE)
async def given(job: Job) -> Outcome[Example]:
    """Reads the rows of an instruction file."""
    file = InstructionFile(**job.part["file"])
    path = Path(file.path)
    if not path.is_file() or digest_of(path) != file.digest:
        raise RunStops(f"instruction file {file.name}: not here, or changed since the run began; run again")
    return given_rows(path, file.name)


def find_files(paths: Sequence[str]) -> list[InstructionFile]:
    """The instruction files of these paths.

    Raises:
        BadCorpus: one is not there, or two have the same name and bytes.
    """
    files = [_found(Path(path)) for path in paths]
    if len({(file.name, file.digest) for file in files}) < len(files):
        raise BadCorpus("an instruction file is named twice; name each once")
    return files


def given_jobs(files: Sequence[InstructionFile], run: Run) -> list[Job]:
    """One job a file. Where a file is on this machine is no part of its fingerprint; its content is."""
    return [
        run.job(PHASE, {}, {"content": [file.name, file.digest]}, file.name).with_part({"file": asdict(file)})
        for file in files
    ]


def _found(path: Path) -> InstructionFile:
    if not path.is_file():
        raise BadCorpus(f"instruction file {path}: it is not there, or is no plain file; correct the path")
    return InstructionFile(str(path.absolute()), path.name, digest_of(path))
