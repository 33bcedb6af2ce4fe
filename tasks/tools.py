"""What methods and selectors may use in a task: its teacher, its encoder, models that score."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import lru_cache

from fanno_core.instructions.augmentation import Difficulty
from fanno_core.report.instruction_files import InstructionRow
from fanno_core.selection.ifd import ifd
from fanno_core.selection.losses import Scorer, load_scorer
from fanno_core.tools import Tools
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


def _scorer(model: str) -> Scorer:
    with _loading:
        return _loaded(model)


@lru_cache(maxsize=1)
def _loaded(model: str) -> Scorer:
    return load_scorer(model)
