"""`fanno compare`: two finished runs side by side, or several methods."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from deployments.cli.compare_methods import Wanted, compare_methods
from deployments.cli.method_options import Given
from deployments.cli.options import AsJson, Documents, Set, SettingsFile, one_sentence_errors
from fanno_core.communities.encoder import Encoder
from fanno_core.dataset.made import open_made
from fanno_core.errors import BadSettings
from fanno_core.report.two_runs import Comparison, compare_runs
from fanno_core.store.location import open_location

First = Annotated[str | None, typer.Argument(metavar="OUT1", help="Folder or s3:// URL of a run.", show_default=False)]
Second = Annotated[
    str | None, typer.Argument(metavar="OUT2", help="Folder or s3:// URL of another run.", show_default=False)
]
Methods = Annotated[
    str,
    typer.Option(
        "--methods",
        help="Instead of two runs: methods to run and hold side by side, fanno among them or not (`fanno methods`).",
        metavar="NAME,NAME...",
    ),
]
MethodsOut = Annotated[
    str | None, typer.Option("--out", help="With --methods: folder for the runs and the comparison.", metavar="OUT")
]
Budget = Annotated[
    int,
    typer.Option(
        "--budget-calls",
        min=0,
        help="With --methods: most questions of each to the teacher, screening apart (method.budget); 0: no limit.",
        metavar="N",
    ),
]
OwnOption = Annotated[
    list[str] | None,
    typer.Option(
        "--option",
        help="With --methods: an option of one of them, such as evol-instruct.epochs=2. May be repeated.",
        metavar="METHOD.NAME=VALUE",
    ),
]
Benchmarks = Annotated[
    list[Path] | None,
    typer.Option(
        "--decontaminate",
        help="With --methods: count the rows that overlap with the texts of this benchmark, and drop none. May be "
        "repeated.",
        metavar="FILE",
    ),
]
IfdModel = Annotated[
    str,
    typer.Option(
        "--ifd-model",
        help="With --methods: folder or hub name of a causal language model that scores instruction-following "
        "difficulty (report.ifd_model).",
        metavar="MODEL",
    ),
]
WIDTH = 30


def compare(
    out1: First = None,
    out2: Second = None,
    methods: Methods = "",
    out: MethodsOut = None,
    corpus: Documents = None,
    given: Given = None,
    options: OwnOption = None,
    budget_calls: Budget = 0,
    benchmarks: Benchmarks = None,
    ifd_model: IfdModel = "",
    file: SettingsFile = None,
    assignments: Set = None,
    as_json: AsJson = False,
) -> None:
    """Hold two finished runs, or several methods, side by side.

    Of two runs are told the settings that differ, the rows that each phase kept, the measures of both data sets, and
    how many rows they have in common. Both are measured as the settings of the first one say.

    With --methods, each method runs with one teacher and one budget in a folder of its own below OUT, and
    OUT/comparison gets a page and a table: rows, questions and tokens a row, diversity, lengths, near-duplicates, IFD
    and contamination. Run it again to go on after an interruption.

    Examples:
        fanno compare ./data ./data-without-augmentation
        fanno compare ./monday s3://bucket/tuesday --json
        fanno compare --methods fanno,oss-instruct --corpus ./documents --out ./methods --budget-calls 600
        fanno compare --methods mosaic,ruler --given alpaca.json --out ./methods --decontaminate gsm8k/test.jsonl
    """
    wanted = Wanted(
        methods=methods,
        out=out,
        corpus=corpus or [],
        given=given or [],
        options=options or [],
        benchmarks=benchmarks or [],
        budget=budget_calls,
        ifd_model=ifd_model,
        file=file,
        assignments=assignments or [],
    )
    with one_sentence_errors():
        if methods:
            if out1:
                raise BadSettings("name two runs, or --methods, but not both")
            compare_methods(wanted, as_json)
            return
        if wanted.only_here:
            raise BadSettings(f"{', '.join(wanted.only_here)}: only with --methods")
        if not (out1 and out2):
            raise BadSettings("name two runs, such as `fanno compare OUT1 OUT2`, or several --methods")
        first, second = (open_made(open_location(each)) for each in (out1, out2))
        found = compare_runs(first, second, Encoder(first.settings.encoder).encode)
    if as_json:
        typer.echo(json.dumps(asdict(found), indent=2, ensure_ascii=False))
        return
    for line in as_lines(found):
        typer.echo(line)


def as_lines(found: Comparison) -> Iterator[str]:
    """The comparison as a person reads it."""
    yield from (f"{number}  {out}" for number, out in enumerate(found.outs, 1))
    yield f"{found.common:,} rows in common by id, {found.identical:,} of them with the same words"
    yield _line("\nrows", "1", "2")
    yield _line("  of the data set", *found.rows)
    yield from (_line(f"  kept by {name}", *pair) for name, pair in found.funnel.items())
    yield "\nmeasures"
    yield from (_line(f"  {name}", *pair) for name, pair in found.measures.items())
    yield "\nsettings that differ" + ("" if found.settings else ": none")
    yield from (_line(f"  {name}", *pair) for name, pair in found.settings.items())


def _line(name: str, one: Any, other: Any) -> str:
    return f"{name:<{WIDTH}}  {_shown(one):>{WIDTH}}  {_shown(other):>{WIDTH}}"


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool | str):
        return str(value) or "(empty)"
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "(empty)"
    return f"{value:,.4g}" if isinstance(value, float) else f"{value:,}"
