"""`fanno run`: documents to a data set."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from deployments.cli.making import ANOTHER_METHOD, FANNO_ITSELF, AsJson, Out, make
from deployments.cli.method_options import Given, Option, check_heeded, method_assignments
from deployments.cli.options import Documents, Set, SettingsFile, one_sentence_errors
from fanno_core.settings import load_settings
from fanno_core.store.contracts import FANNO

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
MethodName = Annotated[
    str, typer.Option("--method", help="Another method than FANNO's own (`fanno methods`).", metavar="NAME")
]


def run(
    out: Out,
    corpus: Documents = None,
    method: MethodName = "",
    chosen: Option = None,
    given: Given = None,
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
        fanno run --method self-instruct --given seed_tasks.jsonl --out ./data --set method.rows=2000
        fanno run --method oss-instruct --corpus ./documents --out ./data
    """
    with one_sentence_errors():
        flags = {"screen.require_licence": require_licence, "teacher.open_only": open_teachers_only}
        named = [f"{name}=true" for name, on in flags.items() if on]
        if decontaminate:
            named.append(f"decontaminate.files={json.dumps(decontaminate, ensure_ascii=False)}")
        named += method_assignments(method, chosen, given)
        settings = load_settings(file, [*(assignments or ()), *named])
        check_heeded(settings, corpus or (), chosen or (), given or ())
        flow = FANNO_ITSELF if settings.method.name == FANNO else ANOTHER_METHOD
        make(flow, corpus or [], out, settings, as_json)
