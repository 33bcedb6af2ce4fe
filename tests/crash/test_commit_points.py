"""A kill at every point of the commit protocol leaves the work done or not done, and nothing in between."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fanno_core.store.durable import sweep_temporaries
from fanno_core.store.ledger import Store
from fanno_core.store.verify import check_files, check_ledger
from tests.conftest import Fanno, record_of, run_here
from tests.crash.conftest import Reference
from tests.crash.dying import POINTS, commit_all
from tests.crash.scripted import journalled, numbers, scripted, temporaries, told

pytestmark = pytest.mark.crash

ROOT = Path(__file__).parents[2]
KILLED = -9
FULL_RUNS = 24
SEED = 4


def carry_out(plan: list[dict[str, Any]], folder: Path, fanno: Fanno) -> list[int]:
    """How each step of a plan ended."""
    (folder / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    command = [sys.executable, "-m", "tests.crash.dying", str(folder / "plan.json")]
    done = subprocess.run(
        command, cwd=ROOT, env=fanno.environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return [int(line) for line in done.stdout.split()]


def content(out: Path) -> dict[str, bytes]:
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}


def test_every_point_of_every_commit(fanno: Fanno, tmp_path: Path) -> None:
    commit_all(tmp_path / "whole")
    whole = content(tmp_path / "whole")
    # One file a durable write; one number more is never reached.
    places = [(point, number) for point in POINTS for number in range(1, len(whole) + 2)]
    outs = [tmp_path / f"out{n}" for n in range(len(places))]
    plan = [
        {"work": "commit", "out": str(out), "point": point, "number": number}
        for out, (point, number) in zip(outs, places, strict=True)
    ]
    ended = carry_out(plan, tmp_path, fanno)
    assert ended == [0 if number > len(whole) else KILLED for _, number in places]
    for out, place in zip(outs, places, strict=True):
        entries, damages = check_ledger(Store(out))
        # Publications are held against their manifest; their entry comes last.
        assert damages + check_files(Store(out), entries) == [], place
        commit_all(out)
        sweep_temporaries([out])
        assert content(out) == whole, place


def test_a_whole_run_killed_at_commit_points(
    fanno: Fanno, documents: Path, reference: Reference, tmp_path: Path
) -> None:
    rng, out = random.Random(SEED), tmp_path / "out"
    with scripted() as server:
        step = {"work": "run", "out": str(out), "documents": str(documents), "assignments": list(told(server))}
        places = [{"point": POINTS[n % len(POINTS)], "number": rng.randint(1, 4)} for n in range(FULL_RUNS)]
        ended = carry_out([step | place for place in places], tmp_path, fanno)
        assert ended == [KILLED] * FULL_RUNS
        heard, before = len(server.seen), journalled(out)
        run_here([documents], out, *told(server))
        assert not numbers(server.seen[heard:]) & before
    assert record_of(out)["dataset"] == reference.dataset
    assert temporaries(out) == []
