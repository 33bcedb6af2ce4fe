"""Adding a method touches one file, its prompts and one line of a table: here one is added to a copy of the project."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import SMALL, Fanno, sets

ROOT = Path(__file__).parents[2]
PACKAGES = ("fanno_core", "tasks", "flows", "deployments")

METHOD = '''
"""Riddles: a document to a riddle about it, and its answer."""

from __future__ import annotations

from fanno_core.methods.contract import Generator, Lot, Origin
from fanno_core.methods.rows import dropped_row, made_row
from fanno_core.outcome import Outcome
from fanno_core.prompts.loader import load_prompt
from fanno_core.store.contracts import Example
from fanno_core.teachers.protocol import Answer, Request, Sampling, ask
from fanno_core.teachers.rendered import rendered_request
from fanno_core.tools import Options, Tools

SAMPLING = Sampling(200)


def requests(lot: Lot) -> list[Request]:
    return [rendered_request(d.id, "riddle", {"document": d.text}, SAMPLING, d.id) for d in lot.documents]


def read(lot: Lot, answers: list[Answer]) -> Outcome[Example]:
    origin = lambda document: Origin("riddles", lot.number, document, prompt=load_prompt("riddle").label)
    rows = [made_row(origin(d), f"Riddle: {a.text}", "", d.source) for d, a in zip(lot.documents, answers)]
    kept = [row for row in rows if len(row.instruction) > 20]
    dropped = [dropped_row(row, "riddles", "too_short") for row in rows if len(row.instruction) <= 20]
    return Outcome(kept, dropped, len(rows))


async def write(lot: Lot, tools: Tools, options: Options) -> Outcome[Example]:
    return read(lot, await ask(tools.teacher, requests(lot)))


RIDDLES = Generator("riddles", "a riddle of each document", 1, write, Options, ("riddle",), "documents", lambda _: 1)
'''
PROMPT = "Between the marks stands a document.\n<<$fence\n$document\n$fence>>\nWrite a riddle about it.\n"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The project without its tests, in a folder of its own."""
    for name in PACKAGES:
        shutil.copytree(ROOT / name, tmp_path / "project" / name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "project"


def test_a_method_is_one_file_its_prompts_and_a_line(fanno: Fanno, corpus: Path, copy: Path, tmp_path: Path) -> None:
    (copy / "fanno_core/methods/riddles.py").write_text(METHOD, encoding="utf-8")
    (copy / "fanno_core/prompts/riddle.txt").write_text(PROMPT, encoding="utf-8")
    table = copy / "fanno_core/methods/table.py"
    line = "GENERATORS: dict[str, str] = {\n"
    added = table.read_text(encoding="utf-8").replace(
        line, f'{line}    "riddles": "fanno_core.methods.riddles:RIDDLES",\n'
    )
    table.write_text(added, encoding="utf-8")

    def run(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "deployments", *words],
            cwd=copy,
            env={**fanno.environment, "PYTHONPATH": str(copy)},
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "a riddle of each document" in run("methods")
    out = tmp_path / "out"
    told = run("run", "--method", "riddles", "--corpus", str(corpus), "--out", str(out), "--json", *sets(*SMALL))
    assert json.loads(told.splitlines()[-1])["rows"] > 0
