from __future__ import annotations

from pathlib import Path

import pytest

from deployments.cli.compare_methods import as_lines, options_by_method
from tests.deployments.words import Here


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--methods", "fanno,nonesuch"], "there is no method nonesuch; there are: fanno, self-instruct"),
        (["--methods", "fanno"], "a comparison needs two methods or more"),
        (["--methods", "mosaic,mosaic"], "a method is named twice"),
        (["--methods", "fanno,oss-instruct"], "method fanno needs documents; name --corpus"),
        (["--methods", "fanno,mosaic", "--set", "seeds.nonesuch=1"], "there is no setting seeds.nonesuch"),
        (["--methods", "fanno,mosaic", "--decontaminate", "nonesuch.txt"], "nonesuch.txt"),
        (["--methods", "fanno,mosaic", "--option", "ruler.x=1"], "options of method ruler: it is not compared"),
        (["--methods", "fanno,mosaic", "--option", "fanno.x=1"], "options of method fanno: its options are settings"),
        (["--methods", "mosaic,ruler", "--option", "mosaic.nonesuch=1"], "mosaic has no option nonesuch"),
        (["--methods", "fanno,mosaic", "--option", "x=1"], "--option x=1: write whose it is, such as oss-instruct.x=1"),
        (["--methods", "fanno,mosaic", "--set", "method.options={x=1}"], "method.options: say whose they are"),
        (["--methods", "fanno,mosaic", "--set", "select.by=['nonesuch']"], "nonesuch"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_runs(
    here: Here, tmp_path: Path, words: list[str], says: str
) -> None:
    ended = here("compare", *words, "--out", tmp_path / "out")
    assert ended.code == 1
    assert says in ended.err
    assert ended.err.splitlines()[-1].startswith("error: ")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--methods", "fanno,mosaic"], "--methods needs a folder for the runs; name --out"),
        (["one", "two", "--methods", "fanno,mosaic"], "name two runs, or --methods, but not both"),
        (["one", "two", "--corpus", "x", "--budget-calls", "5"], "--corpus, --budget-calls: only with --methods"),
        (["one"], "name two runs, such as `fanno compare OUT1 OUT2`, or several --methods"),
        ([], "name two runs, such as `fanno compare OUT1 OUT2`, or several --methods"),
    ],
)
def test_the_two_ways_are_not_mixed(here: Here, words: list[str], says: str) -> None:
    ended = here("compare", *words)
    assert (ended.code, ended.err) == (1, f"error: {says}\n")


def test_a_run_on_an_object_store_shares_no_journal(here: Here, corpus: Path) -> None:
    ended = here("compare", "--methods", "fanno,oss-instruct", "--corpus", corpus, "--out", "s3://bucket/out")
    assert ended.code == 1
    assert "run.journal: only runs on the disk share a file" in ended.err


def test_options_belong_to_their_methods() -> None:
    written = ["evol-instruct.epochs=2", "evol-instruct.note=a.b=c", "ruler.augment_rate=0.5"]
    assert options_by_method(written) == {
        "evol-instruct": {"epochs": 2, "note": "a.b=c"},
        "ruler": {"augment_rate": 0.5},
    }


def test_columns_stand_below_their_methods() -> None:
    told = {
        "rows": [{"method": "fanno"}, {"method": "a-method-of-a-long-name"}],
        "table": [
            {"measure": "rows", "shown": ["57", "1,234"]},
            {"measure": "copied from the document", "shown": ["4.1%", "–"]},
        ],
        "stopped": {"magpie": "it cannot"},
        "preview": False,
        "page": "comparison/index.html",
    }
    _, head, *lines = as_lines(told, "out/")
    assert {len(line) for line in (head, *lines[:2])} == {len(head)}
    assert lines[1].startswith("copied from the document ")
    assert lines[1].endswith("–")
    assert lines[-3:] == ["\nstopped", "  magpie: it cannot", "\nout/comparison/index.html"]
