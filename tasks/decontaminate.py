"""Rows that overlap with benchmarks, where the user names any."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import asdict
from functools import lru_cache

from fanno_core.communities.encoder import Encoder
from fanno_core.decontamination.benchmarks import BenchmarkFile
from fanno_core.decontamination.overlap import PHASE as NAME
from fanno_core.decontamination.overlap import Benchmark, drop_contaminated, open_benchmark
from fanno_core.outcome import Outcome
from fanno_core.settings import Decontaminate
from fanno_core.store.contracts import Example, question_of
from tasks.phase import Job, Phase, phase_task, stack
from tasks.run import Run, Shards

PHASE = Phase(
    NAME,
    version=1,
    contract=Example,
    settings=("decontaminate.field", "decontaminate.ngram", "decontaminate.similarity"),
    encodes=True,
)


@phase_task(PHASE)
async def decontaminate(job: Job) -> Outcome[Example]:
    """Drops the rows of a shard that overlap with a benchmark."""
    rows = job.rows("examples", Example)
    if "vectors" in job.inputs:
        vectors = stack(job.vectors("vectors"), [row.id for row in rows])
    else:
        vectors = job.encoder.encode([question_of(row) for row in rows])
    return drop_contaminated(rows, vectors, benchmarks_of(job), job.settings.decontaminate.similarity)


_opening = threading.Lock()


def benchmarks_of(job: Job) -> tuple[Benchmark, ...]:
    """The benchmarks of a job; read and embedded once a process, since every shard of rows wants the same."""
    files = tuple(BenchmarkFile(**values) for values in job.part["files"])
    with _opening:
        return _opened(files, job.settings.decontaminate, job.encoder)


@lru_cache(maxsize=1)
def _opened(files: tuple[BenchmarkFile, ...], settings: Decontaminate, encoder: Encoder) -> tuple[Benchmark, ...]:
    return tuple(open_benchmark(file, settings, encoder.encode) for file in files)


def decontaminate_jobs(
    examples: Shards, instructions: Shards | None, benchmarks: Sequence[BenchmarkFile], run: Run
) -> list[Job]:
    """One job for each shard of rows, with the vectors of its instructions.

    A benchmark's place on this machine is part of the job but not of its fingerprint; its content is.

    Args:
        examples: rows, an entry for each shard of `instructions`, in their order.
        instructions: what they answer; None where nobody has embedded it.
        benchmarks: from `find_benchmarks`.
        run: the run.
    """
    content = [[file.name, file.digest] for file in benchmarks]
    shards = [{"examples": (shard,)} for shard in examples.kept]
    if instructions:
        tables = [entry.extras["vectors"] for entry in instructions.entries for _ in entry.kept]
        each = [(shard, table) for entry, table in zip(examples.entries, tables, strict=True) for shard in entry.kept]
        shards = [{"examples": (shard,), "vectors": (table,)} for shard, table in each]
    jobs = []
    for number, inputs in enumerate(shards, 1):
        job = run.job(PHASE, inputs, {"content": content}, f"part {number} of {len(shards)}")
        jobs.append(job.with_part({"files": [asdict(file) for file in benchmarks]}))
    return jobs
