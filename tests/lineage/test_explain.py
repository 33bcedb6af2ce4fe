from __future__ import annotations

import asyncio
import random
import shutil
import sqlite3
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from fanno_core.dataset.made import Made, open_made
from fanno_core.errors import RunStops, ShardDamaged
from fanno_core.lineage.documents import SCREENING
from fanno_core.lineage.explain import explain
from fanno_core.lineage.explanation import Explanation
from fanno_core.lineage.replay import CHANGED
from fanno_core.lineage.rows import NOTHING_BEFORE
from fanno_core.prompts.loader import Prompt, load_prompt
from fanno_core.store.contracts import Document, Example, Placed, Rejection, question_of
from fanno_core.store.durable import write_durably
from fanno_core.store.location import Location, open_location
from fanno_core.teachers import rendered
from fanno_core.teachers.journal import Line
from fanno_core.teachers.object_journal import segment_bytes
from tests.conftest import run_here

ON_DOCUMENTS = ["document_quality", "document_advertisement", "document_privacy"]
ON_INSTRUCTIONS = ["instruction_privacy", "instruction_safety", "instruction_answerable"]
# How many questions had been asked when a row was rejected; for other reasons only one of the last phase's.
ASKED = {
    "low_quality": 1,
    "advertisement": 2,
    ("verdicts", "private"): 3,
    "represented": 3,
    ("seeds", "private"): 5,
    ("augment", "private"): 5,
    "unsafe": 6,
    "not_answerable": 7,
    "not_novel": 7,
}
PHASES = {"ingest": 0, "rules": 0, "duplicates": 0, "privacy": 0, "seeds": 4, "augment": 4, "responses": 8}


@pytest.fixture(scope="module")
def made(finished: Path) -> Made:
    return open_made(finished)


def prompts_of(told: Explanation) -> list[str]:
    return [asked.prompt.partition("@")[0] for asked in told.questions]


def assert_told_in_full(told: Explanation) -> None:
    """Every prompt and answer is there, and the filters end with the one that failed."""
    assert not told.notes
    for asked in told.questions:
        assert asked.text, asked
        assert asked.answer is not None
        assert asked.prompt == load_prompt(asked.prompt.partition("@")[0]).label
        assert (asked.probability is not None) == (asked.prompt.partition("@")[0] in ON_DOCUMENTS + ON_INSTRUCTIONS)
    assert told.document
    assert told.document.source
    verdicts = [check.passed for check in (told.filters if told.kind == "row" else told.screening)]
    assert verdicts[:-1] == [True] * (len(verdicts) - 1)
    assert verdicts[-1] == told.fate.kept
    for check in told.filters + told.screening:
        scored = check.name in (*ON_DOCUMENTS, *ON_INSTRUCTIONS, "novelty", "letters")
        assert check.score is not None or not scored or check.detail == NOTHING_BEFORE


def assert_written(told: Explanation, made: Made) -> None:
    """The parts of a row that the teacher wrote."""
    assert told.kind == "row"
    assert told.instruction
    assert told.place
    assert told.document
    assert all(check.passed for check in told.screening)
    assert {check.phase for check in told.screening} == set(SCREENING)
    placed = {row.id: row for row in made.kept("communities", Placed)}[told.document.id]
    assert (told.place.community, told.place.topic) == (placed.community, placed.topic)
    draft = told.questions[3]
    assert told.document.text in str(draft.text)
    assert draft.prompt == told.instruction.prompt
    assert len(told.counterexamples) == (3 if told.instruction.iteration else 0)
    for shown in told.counterexamples:
        assert " ".join(shown.text.split()[:4]) in str(draft.text)
    for verdict in told.questions[4:7]:
        assert verdict.about == told.id
        assert told.instruction.question in str(verdict.text)


async def test_rows_of_the_data_set_are_told_in_full(made: Made) -> None:
    documents = {row.id: row for row in made.kept("verdicts", Document)}
    examples = random.Random(5).sample(made.examples(), 20)
    assert {row.iteration for row in examples} >= {0, 1, 2}
    for row in examples:
        told = await explain(made, row.id)
        assert_told_in_full(told)
        assert_written(told, made)
        drafted = "think_different" if row.iteration else "seed_instruction"
        assert prompts_of(told) == [*ON_DOCUMENTS, drafted, *ON_INSTRUCTIONS, "response_rag_plus"]
        assert told.fate.kept
        assert told.instruction
        assert told.instruction.question == question_of(row)
        assert tuple(shown.id for shown in told.counterexamples) == row.counterexamples
        assert_answered(told, row, documents)


def assert_answered(told: Explanation, row: Example, documents: dict[str, Document]) -> None:
    assert told.response
    assert told.document
    asked = told.questions[-1]
    assert (told.response.text, told.response.tokens) == (row.output, row.output_tokens)
    assert str(asked.answer).strip() == row.output
    assert tuple(near.id for near in told.retrieved) == row.retrieved
    assert [near.text for near in told.retrieved] == [documents[name].text for name in row.retrieved]
    assert all(text in str(asked.text) for text in (told.document.text, *(near.text for near in told.retrieved)))
    scores = {check.name: check.score for check in told.filters}
    assert scores["instruction_privacy"] == row.private
    assert scores["instruction_safety"] == row.unsafe
    assert scores["instruction_answerable"] == row.answerable
    assert scores["novelty"] == row.similarity


def some_rejected(made: Made) -> list[Rejection]:
    """One of each reason, and as many others as make up 20."""
    rows = made.rejections()
    random.Random(7).shuffle(rows)
    kinds = {(row.phase, row.reason): row for row in rows}
    return list({row.id: row for row in [*kinds.values(), *rows[:20]]}.values())


async def test_rejected_rows_are_told_in_full(made: Made) -> None:
    rows = some_rejected(made)
    assert len(rows) >= 20
    assert {row.phase for row in rows} >= {"verdicts", "communities", "augment"}
    for row in rows:
        told = await explain(made, row.id)
        assert_told_in_full(told)
        assert told.fate.phase == row.phase
        assert (told.fate.kept, told.fate.reason, told.fate.detail) == (False, row.reason, row.detail)
        most = ASKED.get((row.phase, row.reason), ASKED.get(row.reason, PHASES.get(row.phase)))
        assert len(told.questions) == most, (row.phase, row.reason)
        if row.phase in SCREENING:
            assert told.kind == "document"
            assert told.document
            assert told.document.text == row.text
        else:
            assert_written(told, made)
            assert told.instruction
            assert row.text.startswith(told.instruction.question)


async def test_a_document_tells_what_was_written_from_it(made: Made) -> None:
    document = min(made.kept("queue", Placed), key=lambda row: row.order)
    told = await explain(made, document.id)
    assert_told_in_full(told)
    assert told.kind == "document"
    assert told.fate.kept
    assert prompts_of(told) == ON_DOCUMENTS
    kept = {row.id for row in made.examples() if row.document_id == document.id}
    dropped = {row.id for row in made.rejections() if row.document_id == document.id}
    assert kept
    assert {row.id for row in told.children if row.kept} == kept
    assert {row.id for row in told.children if not row.kept} == dropped


async def test_the_beginning_of_an_id_is_enough(made: Made) -> None:
    row = made.examples()[0]
    assert (await explain(made, row.id[:10])).id == row.id
    with pytest.raises(RunStops, match="write more digits"):
        await explain(made, "a")


@pytest.mark.parametrize("typed", ["0" * 16, "nothing", "[red]", "x" * 1000])
async def test_an_unknown_id_ends_in_one_sentence(made: Made, typed: str) -> None:
    with pytest.raises(RunStops, match=r"`fanno sample --out .*` lists some$") as told:
        await explain(made, typed)
    assert len(str(told.value)) < 400


async def test_nothing_is_left_behind(finished: Path, made: Made) -> None:
    before = digests(finished)
    await explain(made, made.examples()[3].id)
    assert digests(finished) == before


def digests(folder: Path) -> dict[Path, str]:
    return {path: sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}


def change(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """As if the prompt's file had been edited after the run."""

    def edited(asked: str) -> Prompt:
        prompt = load_prompt(asked)
        return replace(prompt, template=f"{prompt.template}\n") if asked == name else prompt

    monkeypatch.setattr(rendered, "load_prompt", edited)


@pytest.mark.parametrize("changed", ["document_quality", "seed_instruction", "instruction_safety", "response_rag_plus"])
async def test_a_prompt_that_was_changed_since_is_not_shown(
    made: Made, monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    row = next(row for row in made.examples() if row.iteration == 0)
    before = await explain(made, row.id)
    change(monkeypatch, changed)
    told = await explain(made, row.id)
    assert prompts_of(told) == prompts_of(before)
    for asked, other in zip(told.questions, before.questions, strict=True):
        assert asked.answer == other.answer
        if asked.prompt == changed:  # without the digest, which is that of another file
            assert (asked.text, asked.note) == (None, CHANGED)
        else:
            assert asked == other
    assert replace(told, questions=()) == replace(before, questions=())


async def test_a_rejected_draft_is_known_by_its_answer(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    rejected = next(row for row in made.rejections() if row.phase in {"seeds", "augment"})
    before = await explain(made, rejected.id)
    change(monkeypatch, before.questions[3].prompt.partition("@")[0])
    told = await explain(made, rejected.id)
    assert told.questions[3].text is None
    assert told.instruction == before.instruction
    assert told.questions[3].answer == before.questions[3].answer


async def test_without_its_journal_a_run_tells_what_its_rows_hold(finished: Path, tmp_path: Path) -> None:
    out = shutil.copytree(finished, tmp_path / "out")
    whole = open_made(finished)
    (out / "work/journal.sqlite").unlink()
    row = whole.examples()[0]
    told, before = await explain(open_made(out), row.id), await explain(whole, row.id)
    assert told.response == before.response
    assert told.retrieved == before.retrieved
    assert told.screening == before.screening
    assert [check for check in before.filters if check.name != "finish"] == list(told.filters)
    assert {(asked.text, asked.answer) for asked in told.questions} == {(None, None)}
    assert all("journal.sqlite cannot be read" in asked.note for asked in told.questions)
    assert not (out / "work/journal.sqlite").exists()


async def test_a_damaged_shard_is_named(finished: Path, tmp_path: Path) -> None:
    out = shutil.copytree(finished, tmp_path / "out")
    row = open_made(out).examples()[0]
    for path in (out / "work/shards/verdicts").iterdir():
        path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ShardDamaged, match=r"work/shards/verdicts/.* `fanno verify` names what is damaged"):
        await explain(open_made(out), row.id)


async def test_a_run_on_an_object_store_is_told_alike(finished: Path, made: Made, bucket: str) -> None:
    out = open_location(f"{bucket}/out")
    put(finished, out)
    for row_id in (made.examples()[1].id, made.rejections()[-1].id):
        assert await explain(open_made(out), row_id) == await explain(made, row_id)


def put(folder: Path, out: Location) -> None:
    """A run on the disk, as it would lie on an object store."""

    for path in folder.rglob("*"):
        if path.is_file() and "sqlite" not in path.name:
            write_durably(out / path.relative_to(folder).as_posix(), path.read_bytes())
    with sqlite3.connect(folder / "work/journal.sqlite") as journal:
        lines = [Line(*values) for values in journal.execute("SELECT * FROM answers")]
    write_durably(out / "work/journal/00000001.jsonl", segment_bytes(lines))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("assignments", "prompts"),
    [
        (["responses.mode=document", "filters.novelty=0.6"], ["response_document"]),
        # Found through inverted lists, as in a large corpus.
        (["responses.mode=rag", "communities.exact_below=0"], ["response_rag"]),
        (["augment.selection=none", "filters.hard=legacy"], ["response_rag_plus"]),
        # This bandit asks for a direct response of its own; rows that quote the corpus count as contaminated.
        (["augment.bandit=published", 'decontaminate.files=["{corpus}"]'], ["response_direct", "response_rag_plus"]),
    ],
)
@pytest.mark.usefixtures("fanno")
async def test_every_mode_is_told_in_full(
    corpus: Path, tmp_path: Path, assignments: list[str], prompts: list[str]
) -> None:
    settings = [assignment.format(corpus=corpus) for assignment in assignments]
    await asyncio.to_thread(run_here, [corpus], tmp_path / "out", *settings)
    made = open_made(tmp_path / "out")
    for row in random.Random(3).sample(made.examples(), 10):
        told = await explain(made, row.id)
        assert_told_in_full(told)
        assert prompts_of(told)[7:] == prompts
        assert tuple(near.id for near in told.retrieved) == row.retrieved
    for rejected in some_rejected(made):
        told = await explain(made, rejected.id)
        assert_told_in_full(told)
        assert (told.fate.phase, told.fate.reason) == (rejected.phase, rejected.reason)
