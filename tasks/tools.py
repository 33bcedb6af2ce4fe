"""What methods and selectors may use in a task: its teacher, its encoder, models that score."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from fanno_core.instructions.augmentation import Difficulty
from fanno_core.report.instruction_files import InstructionRow
from fanno_core.selection.ifd import ifd
from fanno_core.selection.losses import Scorer, load_scorer, scorer_identity
from fanno_core.tools import Options, Tools
from tasks.phase import Job

_loading = threading.Lock()


def tools_of(job: Job) -> Tools:
    """The tools of a job. A model that scores is loaded once a process, since every shard wants the same."""
    return Tools(job.teacher, lambda texts: job.encoder.encode(texts), _scorer, job.settings.run.seed)


def difficulty_by(model: str) -> Difficulty:
    """What scores how hard instructions are to follow, by that model."""

    def score(rows: Sequence[tuple[str, str, str]]) -> list[float]:
        pairs = [InstructionRow("", *row) for row in rows]
        return [found.by_loss for found in ifd(pairs, _scorer(model))]

    return score


def told_options(options: Options) -> dict[str, Any]:
    """Options as a fingerprint has them: with their defaults, and of a model what is in it, not where it is."""
    values = options.model_dump(mode="json")
    return {name: identity_of(value) if name == "model" and value else value for name, value in values.items()}


def identity_of(model: str) -> str:
    """What tells the weights of a model from others; read again only when a file of its folder has changed."""
    folder = Path(model)
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    return _identity(model, tuple((file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files))


@lru_cache(maxsize=8)
def _identity(model: str, _files: tuple[tuple[str, int, int], ...]) -> str:
    return scorer_identity(model)


def _scorer(model: str) -> Scorer:
    with _loading:
        return _loaded(model, identity_of(model))


@lru_cache(maxsize=1)
def _loaded(model: str, _identity: str) -> Scorer:
    return load_scorer(model)
