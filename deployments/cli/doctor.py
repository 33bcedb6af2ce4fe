"""`fanno doctor`: what works here, what does not, and what to do."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from deployments.cli.options import AsJson, Set, SettingsFile, one_sentence_errors
from deployments.doctor.finding import Finding
from deployments.server import quieten_prefect
from fanno_core.settings import load_settings

MARKS = {"works": ("ok", "green"), "absent": ("--", "yellow"), "broken": ("!!", "red")}

Out = Annotated[str, typer.Option("--out", help="Where a run would write: a folder or an s3:// URL.", metavar="OUT")]
Quick = Annotated[bool, typer.Option("--quick", help="Load no model and ask the teacher nothing.")]


def doctor(
    out: Out = ".",
    file: SettingsFile = None,
    assignments: Set = None,
    quick: Quick = False,
    as_json: AsJson = False,
) -> None:
    """Say what works here, what does not, and what to do.

    Looked at are Python, packages, GPU, disk, Prefect, encoder and teacher, as a run with the same settings would use
    them: weights are loaded, or fetched, and the teacher is asked a question of one token. The exit code is 1 where
    something does not work that these settings need.

    Examples:
        fanno doctor
        fanno doctor --settings settings.toml --out ./data
        fanno doctor --set teacher.name=vllm --out s3://bucket/data
        fanno doctor --quick --json
    """
    quieten_prefect()  # before anything imports it
    from deployments.doctor.examine import examine

    findings = []
    with one_sentence_errors():
        for finding in examine(load_settings(file, assignments or ()), out, quick):
            findings.append(finding)
            if not as_json:
                _print(finding)
    failed = [finding.name for finding in findings if finding.stops_a_run]
    if as_json:
        typer.echo(json.dumps({"works": not failed, "findings": [asdict(finding) for finding in findings]}, indent=2))
    elif failed:
        typer.echo(f"\nthese settings need what does not work: {', '.join(failed)}")
    else:
        typer.echo("\neverything works that these settings need")
    if failed:
        raise typer.Exit(1)


def _print(finding: Finding) -> None:
    mark, colour = MARKS[finding.state]
    if finding.state != "works" and not finding.needed:
        mark, colour = MARKS["absent"]
    typer.secho(f"{mark}  ", fg=colour, nl=False)
    typer.echo(f"{finding.name:<14}{finding.says}" + ("" if finding.needed else "  (not needed)"))
    if finding.do:
        typer.echo(f"{'':<18}-> {finding.do}")
