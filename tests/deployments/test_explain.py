from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deployments.cli.told import show, text_of
from fanno_core.dataset.made import Made, open_made
from fanno_core.lineage.explain import explain
from fanno_core.lineage.explanation import Explanation
from tests.conftest import Fanno
from tests.deployments.words import Here

MOST_S = 2.0
PARTS = (
    "instruction\n",
    "response\n",
    "filters of instruction and response\n",
    "counterexamples that the prompt showed\n",
    "documents retrieved for the response\n",
    "document\n",
    "filters of the document\n",
    "community\n",
    "question 8 of 8: response_rag_plus@",
)


@pytest.fixture(scope="module")
def made(finished: Path) -> Made:
    return open_made(finished)


def test_a_row_is_told_part_by_part(here: Here, finished: Path, made: Made) -> None:
    row = next(row for row in made.examples() if row.iteration and row.retrieved)
    ended = here("explain", row.id, "--out", finished)
    assert (ended.code, ended.err) == (0, "")
    assert f"row {row.id}\n  in the data set\n" in ended.out
    places = [ended.out.find(f"\n{part}") for part in PARTS]
    assert -1 not in places
    assert places == sorted(places)
    assert row.counterexamples[0] in ended.out


def test_where_no_terminal_reads_it_there_are_no_colours_and_no_line_is_cut(
    here: Here, finished: Path, made: Made
) -> None:
    row = made.examples()[0]
    told = here("explain", row.id, "--out", finished).out
    assert "\x1b" not in told
    assert all(f"{line.rstrip()}\n" in told for line in row.output.splitlines())
    details = [check.detail for check in asyncio.run(explain(made, row.id)).screening if check.detail]
    assert details
    assert all(f"passed {detail}" in told for detail in details)
    assert not any(line.endswith(" ") for line in told.splitlines())


def test_a_rejected_row_says_why(here: Here, finished: Path, made: Made) -> None:
    row = next(row for row in made.rejections() if row.reason == "low_quality")
    told = here("explain", row.id, "--out", finished).out
    assert f"rejected by verdicts, low_quality: {row.detail}" in told
    assert "failed" in told


def test_json_holds_every_part(here: Here, finished: Path, made: Made) -> None:
    row = made.examples()[0]
    told = json.loads(here("explain", row.id[:12], "--out", finished, "--json").out)
    assert told.keys() == set(Explanation.__dataclass_fields__)
    assert told["id"] == row.id
    assert told["questions"][3]["text"]


def test_an_unknown_id_is_one_sentence_with_a_hint(here: Here, finished: Path) -> None:
    ended = here("explain", "zzz", "--out", finished)
    assert ended.code == 1
    assert ended.err == (
        f"error: nothing in {finished} has an id that begins with zzz: `fanno sample --out {finished}` lists some\n"
    )


def test_a_text_cannot_give_the_terminal_orders(capsys: pytest.CaptureFixture[str]) -> None:
    show([text_of("a \x1b[31mred\x1b[0m [bold]\r\x07 ]0;title\x9b2J\ud800 b\nnext")])
    told = capsys.readouterr().out
    assert told == "a \\x1b[31mred\\x1b[0m [bold]\\r\\x07 ]0;title\\x9b2J\\ud800 b\nnext\n"


def test_neither_prefect_nor_a_model_is_imported() -> None:
    imported = "import sys, deployments.cli.explain, deployments.cli.sample; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", imported], capture_output=True, text=True, check=True)
    assert not {"prefect", "torch", "faiss", "scipy", "datasketch", "transformers"} & set(done.stdout.split())


@pytest.mark.slow
def test_any_row_of_the_demo_is_explained_in_two_seconds(fanno: Fanno, tmp_path: Path) -> None:
    out = tmp_path / "demo"
    ended = fanno("run", "--corpus", "installed-docs", "--out", out)
    assert ended.code == 0, ended.err
    made = open_made(out)
    rng = random.Random(11)
    ids = [row.id for rows in (made.examples(), made.rejections()) for row in rng.sample(rows, 20)]
    for row_id in ids:
        # Twice where it takes longer, since others use the machine too.
        assert seconds_of(fanno, row_id, out) < MOST_S or seconds_of(fanno, row_id, out) < MOST_S


def seconds_of(fanno: Fanno, row_id: str, out: Path) -> float:
    started = time.perf_counter()
    ended = fanno("explain", row_id, "--out", out)
    took = time.perf_counter() - started
    assert ended.code == 0, ended.err
    assert row_id in ended.out
    return took
