"""How a run goes, while it goes: a live bar for each phase on a terminal, a line for each elsewhere."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.text import Text

from tasks import telling

REFRESH_HZ = 5
TOLD = "fanno.progress"


@contextmanager
def shown_progress(stream: TextIO) -> Iterator[None]:
    """Shows on this stream what the loggers below `fanno` tell: as bars where it is a terminal, else as lines."""
    console = Console(file=stream)
    if stream.isatty() and not console.is_dumb_terminal:
        with _bars(console) as bars, _listening(Bars(bars), logging.DEBUG):
            yield
        return
    lines = logging.StreamHandler(stream)
    lines.setFormatter(logging.Formatter("%(message)s"))
    with _listening(lines, logging.INFO):
        yield


@contextmanager
def _listening(handler: logging.Handler, progress_level: int) -> Iterator[None]:
    logger, progress = logging.getLogger("fanno"), logging.getLogger(TOLD)
    before = logger.level, progress.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    progress.setLevel(progress_level)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before[0])
        progress.setLevel(before[1])


def _bars(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description:<12}"),
        BarColumn(bar_width=12),
        TextColumn("{task.fields[tasks]:>7}"),
        TextColumn("{task.fields[candidates]:>9,}"),
        TextColumn("{task.fields[kept]:>6} kept"),
        TextColumn("{task.fields[rate]:>8}"),
        Clock(),
        console=console,
        refresh_per_second=REFRESH_HZ,
    )


class Clock(ProgressColumn):
    """The seconds that a phase took; while it runs, the time that is left as far as that can be known."""

    def render(self, task: Task) -> Text:
        """One cell."""
        if task.finished_time is not None:
            return Text(f"{task.finished_time:.1f} s")
        elapsed_s = task.elapsed or 0.0
        if not (task.total and task.completed):
            return Text(f"{elapsed_s:.0f} s so far")
        left_s = elapsed_s / task.completed * (task.total - task.completed)
        return Text(f"{timedelta(seconds=round(left_s))} left", style="cyan")


class Bars(logging.Handler):
    """Moves the bars as the flow tells of its phases, and prints whatever else is logged above them."""

    def __init__(self, bars: Progress) -> None:
        super().__init__()
        self.bars = bars
        self.of: dict[str, TaskID] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Shows one record."""
        match record.msg:
            case telling.Progress() as progress:
                self._move(progress)
            case telling.PhaseOver(record=over) if over.name in self.of:
                done = max(over.tasks, 1)
                self.bars.update(self.of[over.name], total=done, completed=done, tasks=f"{over.tasks}/{over.tasks}")
            case _:
                self.bars.console.print(record.getMessage(), markup=False, highlight=False)

    def _move(self, progress: telling.Progress) -> None:
        # How far a single task is cannot be seen from here: its bar moves to and fro.
        total = progress.most if progress.most > 1 else None
        name = progress.phase
        if name in self.of and not progress.done:  # another run of the same command has come to this phase
            self.bars.remove_task(self.of.pop(name))
        if name not in self.of:
            self.of[name] = self.bars.add_task(name, total=total, **_fields(progress, 0.0))
        task = next(task for task in self.bars.tasks if task.id == self.of[name])
        self.bars.update(task.id, completed=progress.done, **_fields(progress, task.elapsed or 0.0))


def _fields(progress: telling.Progress, elapsed_s: float) -> dict[str, Any]:
    share = f"{progress.kept / progress.candidates:.1%}" if progress.candidates else "-"
    is_known = elapsed_s and progress.fresh and progress.fresh == progress.candidates
    return {
        "tasks": f"{progress.done}/{progress.most}",
        "candidates": progress.candidates,
        "kept": share,
        "rate": f"{progress.fresh / elapsed_s:,.0f}/s" if is_known else "-",
    }
