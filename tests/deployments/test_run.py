from __future__ import annotations

from pathlib import Path

import pytest

from deployments.cli.method_options import check_heeded
from fanno_core.errors import BadSettings
from fanno_core.settings import make_settings
from tests.deployments.words import Here

FOR_OTHERS = (
    "error: --option and --given belong to --method NAME, not to FANNO itself; name the method, or leave them out"
)
ROWS = "error: --corpus: the run begins with the rows of --given and reads no documents; leave one out"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--corpus", "x", "--option", "epochs=4"], FOR_OTHERS),
        (["--corpus", "x", "--given", "rows.json"], FOR_OTHERS),
        (["--method", "fanno", "--corpus", "x", "--option", "epochs=4"], FOR_OTHERS),
        (["--method", "magpie", "--corpus", "x"], "error: --corpus: method magpie reads no documents; leave it out"),
        (["--method", "self-instruct", "--given", "rows.json", "--corpus", "x"], ROWS),
        (["--method", "mosaic", "--given", "rows.json", "--corpus", "x"], ROWS),
        (["--set", "method.name=mosaic", "--set", "method.given=['rows.json']", "--corpus", "x"], ROWS),
    ],
)
def test_what_a_method_would_not_look_at_is_refused(here: Here, tmp_path: Path, words: list[str], says: str) -> None:
    ended = here("run", *words, "--out", tmp_path / "out")
    assert (ended.code, ended.err) == (1, f"{says}\n")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("method", "corpus", "options", "given"),
    [
        ({}, ["x"], [], []),
        ({"name": "mosaic"}, ["x"], ["epochs=2"], []),
        ({"name": "mosaic", "given": ["rows.json"]}, [], [], ["rows.json"]),
        ({"name": "alpaca"}, ["x"], [], []),
        ({"name": "magpie"}, [], [], []),
        ({"name": "oss-instruct"}, ["x"], [], []),
    ],
)
def test_what_a_method_looks_at_passes(
    method: dict[str, object], corpus: list[str], options: list[str], given: list[str]
) -> None:
    check_heeded(make_settings({"method": method}), corpus, options, [Path(name) for name in given])


def test_options_of_a_method_that_the_settings_name_are_heeded() -> None:
    named = make_settings({"method": {"name": "mosaic", "options": {"epochs": 2}}})
    check_heeded(named, ["x"], ["epochs=2"], [])
    with pytest.raises(BadSettings, match="belong to --method NAME"):
        check_heeded(make_settings({}), ["x"], ["epochs=2"], [])
