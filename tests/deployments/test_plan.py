from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import SMALL, Fanno, sets
from tests.corpus import write_corpus


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("few"), 8)


def test_help_has_examples(fanno: Fanno) -> None:
    ended = fanno("plan", "--help", COLUMNS="200")
    assert ended.code == 0
    assert "Example" in ended.out


def test_a_plan_is_a_table_with_totals_hours_and_what_it_cost(fanno: Fanno, few: Path) -> None:
    ended = fanno("plan", "--corpus", few, "--sample", "4", "--tokens-per-second", "10", *sets(*SMALL))
    assert ended.code == 0, ended.err
    lines = ended.out.splitlines()
    assert lines[0].split() == ["phase", "rows", "in", "kept", "calls", "prompt", "tokens", "completion", "tokens"]
    names = [line.split()[0] for line in lines[1:11]]
    phases = ["ingest", "rules", "duplicates", "privacy", "verdicts", "communities", "seeds", "novelty", "augment"]
    assert names == [*phases, "responses"]
    columns = {line.split()[0]: line.replace(",", "").split() for line in lines if line[:1].isalpha()}
    asking = ("verdicts", "seeds", "augment", "responses")
    for place in (3, 4, 5):
        total = sum(int(columns[name][place]) for name in asking)
        assert int(columns["total"][place - 2]) == total
    assert "questions" in ended.out
    hours = (int(columns["total"][2]) + int(columns["total"][3])) / 10 / 3600
    assert f"at 10 tokens a second: {hours:.1f} hours" in ended.out


def test_a_plan_without_questions_is_one_json_document_with_its_assumptions(fanno: Fanno, few: Path) -> None:
    ended = fanno("plan", "--corpus", few, "--sample", "0", "--json", *sets(*SMALL))
    assert ended.code == 0, ended.err
    made = json.loads(ended.out)
    assert made["asked"] == {"calls": 0, "prompt_tokens": 0, "completion_tokens": 0}
    assert made["assumed"]
    assert made["total"]["calls"] == sum(phase["calls"] for phase in made["phases"]) > 100
    assert made["hours"] is None


@pytest.mark.parametrize("wrong", [("--corpus", "./absent"), ("--corpus", "installed-docs", "--set", "seeds.docs=1")])
def test_errors_are_one_sentence(fanno: Fanno, wrong: tuple[str, ...]) -> None:
    ended = fanno("plan", *wrong)
    assert ended.code == 1
    assert [line for line in ended.err.splitlines() if line.startswith("error: ")]
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    ("assignment", "said"),
    [
        ("responses.mode=direct", "the teacher extractive answers only from documents"),
        ("method.name=self-instruct", "a plan foresees FANNO's own phases"),
    ],
)
def test_what_no_run_does_and_what_no_plan_knows_is_refused(
    fanno: Fanno, few: Path, assignment: str, said: str
) -> None:
    ended = fanno("plan", "--corpus", few, "--sample", "0", *sets(assignment))
    assert ended.code == 1
    assert said in ended.err
