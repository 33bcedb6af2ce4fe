"""Plans beside what real runs spent, and plans of corpora that are hardly there."""

from __future__ import annotations

from pathlib import Path

import pytest

from fanno_core.outcome import Usage
from fanno_core.plan.estimate import estimate
from fanno_core.plan.figures import Plan
from fanno_core.settings import load_settings
from fanno_core.store.ledger import Store
from fanno_core.teachers.protocol import Answer, Request, Teacher
from fanno_core.teachers.table import open_teacher
from tests.conftest import SMALL
from tests.corpus import write_corpus
from tests.scripted import ScriptedTeacher

ASKING = ("verdicts", "seeds", "augment", "responses")


def spent(out: Path) -> dict[str, Usage]:
    """What each phase asked, by the ledger: `run.json` tells of the last run alone, which may have found all done."""
    store, found = Store(out), dict.fromkeys(ASKING, Usage())
    for file in (out / "work" / "ledger").rglob("*.json"):
        entry = store.find(file.parent.name, file.stem)
        assert entry
        found[entry.phase] = found.get(entry.phase, Usage()) + entry.usage
    return found


async def plan(corpus: Path, sample: int, *assignments: str, teacher: Teacher | None = None) -> Plan:
    settings = load_settings(None, [*SMALL, *assignments])
    return await estimate([str(corpus)], settings, teacher or open_teacher(settings.teacher), sample)


def calls(made: Plan) -> dict[str, int]:
    return {phase.name: phase.usage.calls for phase in made.phases}


class Refusing(ScriptedTeacher):
    """Finds every document bad."""

    def __init__(self) -> None:
        self.asked = []

    def reply(self, request: Request) -> Answer:  # noqa: ARG002 - every one alike
        return Answer("0", probability=0.0)


@pytest.mark.parametrize(("sample", "off"), [(48, 0.20), (0, 0.35)])
async def test_a_plan_is_near_what_the_run_spends(corpus: Path, finished: Path, sample: int, off: float) -> None:
    made, run = await plan(corpus, sample), spent(finished)
    assert {name: count for name, count in calls(made).items() if count} == {
        name: pytest.approx(run[name].calls, rel=off) for name in ASKING
    }
    total = sum(run.values(), Usage())
    assert made.total.prompt_tokens == pytest.approx(total.prompt_tokens, rel=off)
    assert made.total.completion_tokens == pytest.approx(total.completion_tokens, rel=off)
    assert bool(made.asked.calls) == bool(sample)
    assert bool(made.assumed) == (not sample)
    assert not made.ends_at


async def test_without_a_sample_nothing_is_asked(corpus: Path) -> None:
    teacher = Refusing()
    made = await plan(corpus, 0, teacher=teacher)
    assert not teacher.asked
    assert made.total.calls > 1000


async def test_the_same_corpus_gives_the_same_plan(corpus: Path) -> None:
    assert await plan(corpus, 4) == await plan(corpus, 4)


async def test_the_published_bandit_asks_for_direct_responses_early(corpus: Path) -> None:
    asked = calls(await plan(corpus, 8, "augment.bandit=published", "responses.mode=direct"))
    assert asked["novelty"] > 100
    assert asked["augment"] > 4 * 150
    assert asked["responses"] == 0  # the same questions, and their answers are in the journal


async def test_windows_end_where_there_are_enough_instructions(corpus: Path) -> None:
    windows = {phase.name: phase.rows_in for phase in (await plan(corpus, 4, "augment.limit=150")).phases}
    assert windows["augment"] == 30
    assert calls(await plan(corpus, 4, "augment.iterate=false"))["augment"] == 0


async def test_one_document_gets_a_plan(tmp_path: Path) -> None:
    made = await plan(write_corpus(tmp_path, 1), 64, "ingest.segment_chars=20000", "screen.min_quality=0")
    rows = {phase.name: phase.rows_in for phase in made.phases}
    assert (rows["verdicts"], rows["seeds"], rows["augment"]) == (1, 24, 0)
    assert calls(made)["seeds"] == pytest.approx(4 * 24, rel=0.2)


async def test_a_corpus_of_which_nothing_stays_gets_a_plan_that_says_so(corpus: Path) -> None:
    made = await plan(corpus, 8, teacher=Refusing())
    assert made.ends_at == "verdicts"
    assert calls(made)["verdicts"] > 100
    assert made.total.calls == calls(made)["verdicts"]
