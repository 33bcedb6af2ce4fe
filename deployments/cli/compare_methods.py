"""`fanno compare --methods`: several methods with one teacher and one budget."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from deployments.cli.flow_run import run_flow
from deployments.cli.method_options import method_assignments
from fanno_core.errors import BadSettings
from fanno_core.settings import load_settings

LEAST_WIDTH = 12


@dataclass(frozen=True)
class Wanted:
    """What the options of the command say.

    Attributes:
        methods: names, with commas between them.
        out: the folder, or nothing.
        corpus, given, benchmarks: documents, files of rows, and files in which rows are looked for.
        options: of methods, each as METHOD.NAME=VALUE.
        budget: questions of each method; 0: no limit.
        ifd_model: what scores instruction-following difficulty, or empty.
        file, assignments: further settings.
    """

    methods: str
    out: str | None
    corpus: Sequence[str]
    given: Sequence[Path]
    options: Sequence[str]
    benchmarks: Sequence[Path]
    budget: int
    ifd_model: str
    file: Path | None
    assignments: Sequence[str]

    @property
    def only_here(self) -> list[str]:
        """Options that were given and are for this mode alone."""
        given = {
            "--out": self.out,
            "--corpus": self.corpus,
            "--given": self.given,
            "--option": self.options,
            "--decontaminate": self.benchmarks,
            "--budget-calls": self.budget,
            "--ifd-model": self.ifd_model,
            "--settings": self.file,
            "--set": self.assignments,
        }
        return [name for name, value in given.items() if value]


def compare_methods(wanted: Wanted, as_json: bool) -> None:
    """Runs the methods and prints their table.

    Raises:
        BadSettings: an option is missing, or a setting or method is refused.
        FannoError: what stopped the comparison.
    """
    if not wanted.out:
        raise BadSettings("--methods needs a folder for the runs; name --out")
    methods = [name.strip() for name in wanted.methods.split(",") if name.strip()]
    # Nobody reads a report of each, but for those who ask for it.
    named = ["report.make=false", *wanted.assignments, *method_assignments("", None, wanted.given)]
    if wanted.budget:
        named.append(f"method.budget={wanted.budget}")
    if wanted.ifd_model:
        named.append(f"report.ifd_model={json.dumps(wanted.ifd_model)}")
    settings = load_settings(wanted.file, named)
    benchmarks = [str(path.absolute()) for path in wanted.benchmarks]
    flow = "flows.comparison:fanno_compare"
    options = options_by_method(wanted.options)
    told = run_flow(flow, as_json, methods, list(wanted.corpus), wanted.out, settings, options, benchmarks)
    if as_json:
        typer.echo(json.dumps(told, indent=2, ensure_ascii=False))
        return
    for line in as_lines(told, wanted.out):
        typer.echo(line)


def options_by_method(written: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Options by method and name, from METHOD.NAME=VALUE each.

    Raises:
        BadSettings: one is not written so.
    """
    groups: dict[str, list[str]] = {}
    for option in written:
        method, dot, rest = option.partition(".")
        if not dot or "=" in method:
            raise BadSettings(f"--option {option}: write whose it is, such as oss-instruct.{option}")
        groups.setdefault(method.strip(), []).append(rest)
    return {
        method: load_settings(None, method_assignments("", own, None)).method.options for method, own in groups.items()
    }


def as_lines(told: Mapping[str, Any], out: str) -> Iterator[str]:
    """The comparison as a person reads it: a line a measure, a column a method."""
    names = [row["method"] for row in told["rows"]]
    first = max(len(line["measure"]) for line in told["table"])
    widths = [max(len(name), LEAST_WIDTH) for name in names]
    yield ""
    yield _line("", names, first, widths)
    yield from (_line(line["measure"], line["shown"], first, widths) for line in told["table"])
    if told["stopped"]:
        yield "\nstopped"
        yield from (f"  {name}: {sentence}" for name, sentence in told["stopped"].items())
    if told["preview"]:
        yield "\nThe teacher has no weights: these numbers say nothing of the methods."
    yield f"\n{out.rstrip('/')}/{told['page']}"


def _line(measure: str, values: Sequence[str], first: int, widths: Sequence[int]) -> str:
    cells = (f"{value:>{width}}" for value, width in zip(values, widths, strict=True))
    return f"{measure:<{first}}  {'  '.join(cells)}"
