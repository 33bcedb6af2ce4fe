"""What a run prints at its end: the funnel, three rows, and where everything lies."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import typer

SAMPLE_ROWS = 3
SAMPLE_COLUMNS = ["id", "instruction", "input", "output", "task_type", "iteration", "source"]
WIDTH = 110


def print_summary(out: Path) -> None:
    """Prints the funnel, three sample rows and the paths of a finished run."""
    record = json.loads((out / "run.json").read_text(encoding="utf-8"))
    typer.echo("\nfunnel")
    for phase in record["phases"]:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in phase["rejected"].items())
        typer.echo(f"  {phase['name']:<12}{phase['candidates']:>8,} -> {phase['rows_kept']:>7,}   {reasons}".rstrip())
    typer.echo("\nthree rows")
    for row in sample_rows(out):
        _print_row(row)
    calls = sum(phase["teacher_calls"] for phase in record["phases"])
    cached, tasks = (sum(phase[name] for phase in record["phases"]) for name in ("tasks_cached", "tasks"))
    typer.echo(f"\n{record['dataset']['rows']:,} rows, digest {record['dataset']['digest'][:16]}")
    typer.echo(f"{tasks} tasks, {cached} cached; {calls:,} teacher calls by {record['teacher']}")
    if record["teacher"].startswith("extractive/"):
        typer.echo("the extractive teacher has no weights: these rows are a preview, not training data")
    for name in ("dataset", "dataset/README.md", "rejected", "run.json"):
        typer.echo(f"  {out / name}")


def sample_rows(out: Path) -> list[dict[str, Any]]:
    """Rows of different task types, the first and the last iteration among them."""
    files = sorted((out / "dataset").glob("train-*.parquet"))
    rows = [row for file in files[:1] for row in pq.read_table(file, columns=SAMPLE_COLUMNS).to_pylist()]
    rows.sort(key=lambda row: (row["iteration"], row["id"]))
    chosen: list[dict[str, Any]] = []
    for row in [*rows[:1], *rows[-1:], *rows]:
        if len(chosen) < SAMPLE_ROWS and row["task_type"] not in {other["task_type"] for other in chosen}:
            chosen.append(row)
    return chosen


def _print_row(row: dict[str, Any]) -> None:
    kind = row["task_type"] or f"augmented, iteration {row['iteration']}"
    typer.echo(f"  {row['id']}  {kind}, from {row['source']}")
    for label in ("instruction", "input", "output"):
        if row[label]:
            text = textwrap.shorten(row[label].replace("\n", " / "), 360, placeholder=" ...")
            indent = " " * 17
            typer.echo(textwrap.fill(text, WIDTH, initial_indent=f"    {label:<13}", subsequent_indent=indent))
