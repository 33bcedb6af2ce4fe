"""`fanno plan`: what a run would ask of its teacher."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import asdict
from typing import Annotated, Any

import typer

from deployments.cli.options import AsJson, Corpus, Set, SettingsFile, one_sentence_errors
from deployments.server import prefect_api, quieten_prefect
from fanno_core.errors import BadSettings
from fanno_core.outcome import Usage
from fanno_core.plan.estimate import SAMPLE, estimate
from fanno_core.plan.figures import Plan
from fanno_core.responses.answers import require_mode
from fanno_core.settings import Settings, load_settings
from fanno_core.store.contracts import FANNO

Sample = Annotated[
    int, typer.Option(min=0, help="Documents to try out with the teacher, some 25 questions each; 0 asks nothing.")
]
TokensPerSecond = Annotated[
    float | None,
    typer.Option(min=0.001, help="What your teacher takes, prompt and answer tokens together; gives the hours."),
]
UNFORESEEN = {"cached_tokens", "replayed"}
"""What of a run's usage no plan can tell."""


def plan(
    corpus: Corpus,
    file: SettingsFile = None,
    assignments: Set = None,
    sample: Sample = SAMPLE,
    tokens_per_second: TokensPerSecond = None,
    as_json: AsJson = False,
) -> None:
    """Estimate the calls and tokens of a run before it starts.

    Whatever needs no teacher is done, and a sample of the documents goes through the rest; nothing is kept.

    Examples:
        fanno plan --corpus ./documents --settings examples/local-model.toml --tokens-per-second 2000
        fanno plan --corpus ./documents --sample 0 --json
    """
    with one_sentence_errors():
        made = _estimate(corpus, load_settings(file, assignments or ()), sample)
    if as_json:
        typer.echo(json.dumps(as_document(made, tokens_per_second), indent=2))
        return
    for line in as_lines(made, tokens_per_second):
        typer.echo(line)


def _estimate(corpus: list[str], settings: Settings, sample: int) -> Plan:
    if settings.method.name != FANNO:
        raise BadSettings(
            f"method.name={settings.method.name}: a plan foresees FANNO's own phases; what a row costs is on its "
            "method's page, and method.budget is never exceeded"
        )
    quieten_prefect()  # keys may be there
    from tasks.teachers import teacher_of, with_servers

    settings = with_servers(settings)
    typer.echo("reading the corpus and trying out a sample of it", err=True)
    key_in_prefect = settings.teacher.api_key.startswith("prefect:")
    with prefect_api() if key_in_prefect else nullcontext():
        teacher = teacher_of(settings)
    require_mode(settings, teacher.needs_context)
    return asyncio.run(estimate(corpus, settings, teacher, sample))


def as_document(made: Plan, tokens_per_second: float | None) -> dict[str, Any]:
    """The plan as one JSON document; `hours` is null where no rate was given."""
    return {
        "teacher": made.teacher,
        "phases": [
            {"name": phase.name, "rows_in": phase.rows_in, "rows_kept": phase.rows_kept, **_spent(phase.usage)}
            for phase in made.phases
        ],
        "total": _spent(made.total),
        "hours": made.hours(tokens_per_second) if tokens_per_second else None,
        "asked": _spent(made.asked),
        "assumed": dict(made.assumed),
        "read": made.read,
        "ends_at": made.ends_at,
    }


def as_lines(made: Plan, tokens_per_second: float | None) -> Iterator[str]:
    """The plan as a person reads it."""
    yield f"{'phase':<12}{'rows in':>12}{'kept':>12}{'calls':>12}{'prompt tokens':>18}{'completion tokens':>20}"
    for phase in made.phases:
        rows = f"{phase.name:<12}{phase.rows_in:>12,}{phase.rows_kept:>12,}"
        yield rows + _columns(phase.usage) if phase.usage.calls else rows
    yield f"{'total':<36}{_columns(made.total)}\n"
    yield f"teacher {made.teacher}; tokens that a server's prefix cache holds are counted in full"
    if made.ends_at:
        yield f"nothing of the sample is left after phase {made.ends_at}: the run may well stop there"
    if made.read < 1:
        yield f"read {made.read:.1%} of the corpus' bytes and scaled up"
    if made.assumed:
        yield "nothing was asked; assumed, as the demo's teacher answers (--sample 64 asks yours):"
        yield from (f"  {name:<44}{value:>6g}" for name, value in made.assumed.items())
    else:
        tokens = made.asked.prompt_tokens + made.asked.completion_tokens
        yield f"asked {made.asked.calls:,} questions ({tokens:,} tokens) to find out"
    if tokens_per_second:
        yield f"at {tokens_per_second:,g} tokens a second: {made.hours(tokens_per_second):,.1f} hours"


def _columns(usage: Usage) -> str:
    return f"{usage.calls:>12,}{usage.prompt_tokens:>18,}{usage.completion_tokens:>20,}"


def _spent(usage: Usage) -> dict[str, int]:
    return {name: value for name, value in asdict(usage).items() if name not in UNFORESEEN}
