"""What a run prints at its end: the funnel, three rows, and where everything lies."""

from __future__ import annotations

import json
import textwrap
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import typer

from fanno_core.store.durable import names_in, read_whole
from fanno_core.store.location import Location

SAMPLE_ROWS = 3
SAMPLE_COLUMNS = ["id", "instruction", "input", "output", "task_type", "iteration", "source"]
WIDTH = 110
TOTALS = ("tasks", "tasks_cached", "teacher_calls", "prompt_tokens", "cached_tokens", "completion_tokens")


def print_summary(out: Location) -> None:
    """Prints the funnel, three sample rows and the paths of a finished run."""
    record = json.loads(read_whole(out / "run.json"))
    typer.echo("\nfunnel")
    for phase in record["phases"]:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in phase["rejected"].items())
        typer.echo(f"  {phase['name']:<12}{phase['candidates']:>8,} -> {phase['rows_kept']:>7,}   {reasons}".rstrip())
    typer.echo("\nthree rows")
    for row in sample_rows(out):
        _print_row(row)
    total = {name: sum(phase[name] for phase in record["phases"]) for name in TOTALS}
    typer.echo(f"\n{record['dataset']['rows']:,} rows, digest {record['dataset']['digest'][:16]}")
    typer.echo(f"{total['tasks']} tasks, {total['tasks_cached']} cached")
    typer.echo(
        f"{total['teacher_calls']:,} teacher calls by {record['teacher']}; tokens: {total['prompt_tokens']:,} of "
        f"prompts ({total['cached_tokens']:,} cached), {total['completion_tokens']:,} of answers"
    )
    if record["teacher"].startswith("extractive/"):
        typer.echo("the extractive teacher has no weights: these rows are a preview, not training data")
    for name in ("dataset", "dataset/README.md", "rejected", "run.json"):
        typer.echo(f"  {out / name}")


def sample_rows(out: Location) -> list[dict[str, Any]]:
    """Rows of different task types, the first and the last iteration among them."""
    dataset = out / "dataset"
    first = [name for name in names_in(dataset) if name.startswith("train-")][:1]
    tables = [pq.read_table(pa.BufferReader(read_whole(dataset / name)), columns=SAMPLE_COLUMNS) for name in first]
    rows = [row for table in tables for row in table.to_pylist()]
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
