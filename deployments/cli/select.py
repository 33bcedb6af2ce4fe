"""`fanno select`: the rows of an instruction file that are worth training on."""

from __future__ import annotations

from deployments.cli.making import ANOTHER_METHOD, AsJson, Out, make
from deployments.cli.method_options import By, Files, HowMuch, Option, method_assignments, select_assignments
from deployments.cli.options import Set, SettingsFile, one_sentence_errors
from fanno_core.errors import BadSettings
from fanno_core.settings import load_settings


def select(
    files: Files,
    out: Out,
    by: By = None,
    keep: HowMuch = None,
    chosen: Option = None,
    file: SettingsFile = None,
    assignments: Set = None,
    as_json: AsJson = False,
) -> None:
    """Choose the rows of instruction files that are worth training on.

    Several selectors work in order, each on what the one before it kept. The others are in OUT/rejected with their
    scores. The same settings choose inside `fanno run`.

    Examples:
        fanno select --by length --keep 1000 alpaca.json --out ./long
        fanno select --by superfilter --keep 20% --by diverse --keep 2% alpaca.json --out ./chosen
        fanno select --by ifd --keep 5% --option model=./student alpaca.json --out ./cherries
        fanno select --by judge --keep '>=4.5' alpaca.json --out ./judged --set teacher.name=openai
    """
    with one_sentence_errors():
        named = [*select_assignments(by, keep, chosen), 'method.name=""', *method_assignments("", None, files)]
        settings = load_settings(file, [*(assignments or ()), *named])
        if not settings.select.by:
            raise BadSettings("nothing to select by: name a selector with --by; `fanno methods` lists them")
        make(ANOTHER_METHOD, [], out, settings, as_json)
