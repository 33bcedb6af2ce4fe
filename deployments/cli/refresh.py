"""`fanno refresh`: a data set up to date with its corpus, at the price of what has changed."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from deployments.cli.flow_run import run_flow
from deployments.cli.options import AsJson, Corpus, Set, SettingsFile, one_sentence_errors
from fanno_core.settings import load_settings

Out = Annotated[
    str, typer.Option("--out", help="Folder for the versions and everything on the way to them.", metavar="OUT")
]
Rebuild = Annotated[
    bool,
    typer.Option("--rebuild", help="Make everything anew, as on the first night; answers that are there cost nothing."),
]
OpenTeachersOnly = Annotated[
    bool, typer.Option("--open-teachers-only", help="Refuse a teacher whose declared licence is not open.")
]


def refresh(
    corpus: Corpus,
    out: Out,
    file: SettingsFile = None,
    assignments: Set = None,
    rebuild: Rebuild = False,
    open_teachers_only: OpenTeachersOnly = False,
    as_json: AsJson = False,
) -> None:
    """Bring a data set up to date with its corpus.

    Documents that are the same cost nothing; new ones go through all phases; withdrawn ones take their rows along.
    The first time makes all of it; a finished run that lies in OUT becomes version 1, whatever the corpus is by now.
    What is published last is OUT/current. The exit code is 2 where the new version is
    held back by a limit of the settings `refresh`.

    Examples:
        fanno refresh --corpus ./documents --out ./data
        fanno refresh --corpus ./documents --out ./data --set refresh.max_calls=5000 --json
        fanno refresh --corpus ./documents --out ./data --rebuild
    """
    with one_sentence_errors():
        settings = load_settings(file, assignments or ())
        told = run_flow("flows.refresh:fanno_refresh", as_json, corpus, out, settings, rebuild, open_teachers_only)
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False))
    else:
        for line in lines(told, out):
            typer.echo(line)
    if told["status"] == "held":
        raise typer.Exit(2)


def lines(told: dict[str, Any], out: str) -> list[str]:
    """What a refresh tells at its end."""
    documents, rows = told["documents"], told["rows"]
    counts = ", ".join(f"{documents[name]:,} {name}" for name in ("added", "changed", "withdrawn", "same"))
    if told["status"] == "unchanged":
        return ["", f"nothing has changed: version {told['version']} stays, {rows['now']:,} rows"]
    kinds = ", ".join(f"{rows[name]:,} {name}" for name in ("added", "retired", "answered anew"))
    found = ["", f"documents: {counts}", f"rows: {rows['now']:,} ({kinds})"]
    if told["took_over"]:
        found[1:1] = [f"the finished run that lay in {out} is version {told['took_over']} now"]
    found += [f"{told['calls']:,} teacher calls, {told['tokens']:,} tokens"]
    if told["waiting"]:
        waiting = ", ".join(f"{count:,} {what}" for what, count in told["waiting"].items())
        found += [f"left for the next night by the budget: {waiting}"]
    if told["rebuild"]:
        found += [f"communities have drifted by {told['drift']:.0%}: --rebuild makes them anew"]
    if told["status"] == "held":
        reasons = [f"  {reason}" for reason in told["reasons"]]
        advice = f"  to publish it all the same: fanno rollback {out} {told['version']}"
        return [*found, f"version {told['version']} is held back:", *reasons, *_report(told), advice]
    how = _report(told) or [f"  without a report; to make it: fanno report {out}"]
    return [*found, f"version {told['version']} is published", f"  {told['path']}", *how]


def _report(told: dict[str, Any]) -> list[str]:
    return [f"  report: {told['path']}/report/index.html"] if told["report"] else []
