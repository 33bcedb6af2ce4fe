"""`fanno run`: documents to a data set."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from deployments.cli.flow_run import run_flow
from deployments.cli.options import Corpus, Set, SettingsFile, one_sentence_errors
from deployments.cli.summary import print_summary, summary
from fanno_core.settings import load_settings
from fanno_core.store.location import open_location

Out = Annotated[
    str,
    typer.Option(
        "--out", help="Folder, or s3:// URL, for the data set and everything on the way to it.", metavar="OUT"
    ),
]
RequireLicence = Annotated[
    bool,
    typer.Option("--require-licence", help="Keep only documents whose licence is known and allowed (screen.licences)."),
]
OpenTeachersOnly = Annotated[
    bool, typer.Option("--open-teachers-only", help="Refuse a teacher whose declared licence is not open.")
]
Decontaminate = Annotated[
    list[str] | None,
    typer.Option(
        "--decontaminate",
        help="Leave out rows that overlap with the texts of this benchmark (decontaminate.files). May be repeated.",
        metavar="FILE",
    ),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="End with one line of JSON: counts, digest, paths. Progress goes to stderr.")
]


def run(
    corpus: Corpus,
    out: Out,
    file: SettingsFile = None,
    assignments: Set = None,
    require_licence: RequireLicence = False,
    open_teachers_only: OpenTeachersOnly = False,
    decontaminate: Decontaminate = None,
    as_json: AsJson = False,
) -> None:
    """Make an instruction data set from documents.

    Every phase is cached below OUT: run it again to go on after an interruption, or to do just what changed.

    Examples:
        fanno run --corpus installed-docs --out ./demo
        fanno run --corpus ./documents --out ./data --set teacher.name=transformers --set teacher.model=./model
        fanno run --corpus './notes/**/*.md' --corpus ./books --out ./data --settings settings.toml
        fanno run --corpus ./documents --out s3://bucket/data --require-licence --json
        fanno run --corpus ./documents --out ./data --decontaminate gsm8k/test.jsonl --decontaminate mmlu.parquet
    """
    with one_sentence_errors():
        flags = {"screen.require_licence": require_licence, "teacher.open_only": open_teachers_only}
        named = [f"{name}=true" for name, on in flags.items() if on]
        if decontaminate:
            named.append(f"decontaminate.files={json.dumps(decontaminate, ensure_ascii=False)}")
        settings = load_settings(file, [*(assignments or ()), *named])
        run_flow("flows.fanno:fanno", as_json, corpus, out, settings)
        told = summary(open_location(out))
    if as_json:
        typer.echo(told.as_json())
    else:
        print_summary(told)
