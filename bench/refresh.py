"""What a night costs beside a full build: `python -m bench.refresh CORPUS.jsonl [DOCUMENTS ...]`.

CORPUS has `id` and `text` in each row. With one number of documents, 5,000 where none is given: 1% of them are added,
1% changed and 1% withdrawn. With several: 100 are changed in each, so that one sees what the size of the corpus costs;
documents beyond those of CORPUS are made of its sentences.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bench.machine import machine

DOCUMENTS = 5_000
CHANGED = 100
EDITED = " An editor went over this text and added a sentence, so that its readers know that it is up to date."
Rows = dict[str, str]


def documents(corpus: Path) -> Iterator[tuple[str, str]]:
    """Id and text: first those of the corpus, then mixtures of their sentences without end."""
    with corpus.open(encoding="utf-8") as lines:
        own = [(str(row["id"]), str(row["text"])) for row in map(json.loads, lines)]
    yield from own
    rng, sentences = random.Random(1), [s for _, text in own for s in text.split(". ") if len(s.split()) > 4]
    number = 0
    while True:
        yield f"mixed-{number:06d}", ". ".join(rng.sample(sentences, 6)) + "."
        number += 1


def night(rows: Rows, folder: Path) -> tuple[dict[str, Any], float]:
    """What a refresh tells, and its seconds, start of Python included."""
    lines = (json.dumps({"id": name, "text": text}) for name, text in rows.items())
    (folder / "corpus.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    words = ["refresh", "--corpus", str(folder / "corpus.jsonl"), "--out", str(folder / "out"), "--json"]
    started = time.perf_counter()
    command = [sys.executable, "-m", "deployments", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own command
    seconds = time.perf_counter() - started
    if done.returncode not in {0, 2}:
        sys.exit(done.stderr)
    told: dict[str, Any] = json.loads(done.stdout)
    return told, seconds


def after(rows: Rows, new: Sequence[tuple[str, str]], edited: int, withdrawn: int) -> Rows:
    """The corpus on the next day."""
    names = random.Random(2).sample(sorted(rows), edited + withdrawn)
    gone, changed = {*names[edited:]}, {*names[:edited]}
    stay = {name: text + EDITED * (name in changed) for name, text in rows.items() if name not in gone}
    return {**stay, **dict(new)}


def show(what: str, told: dict[str, Any], seconds: float) -> dict[str, Any]:
    """One line, and what it says."""
    counts = ", ".join(f"{count:,} {name}" for name, count in told["documents"].items())
    print(f"{what:<28}{seconds:8.1f} s {told['calls']:>8,} calls {told['rows']['now']:>8,} rows   {counts}", flush=True)
    return {"what": what, "seconds": round(seconds, 1), "calls": told["calls"], "rows": told["rows"]["now"]}


def one(corpus: Path, count: int, folder: Path, added: int, edited: int, withdrawn: int) -> Iterator[dict[str, Any]]:
    """A full build, a night without changes, and one with some."""
    supply = documents(corpus)
    rows = dict(next(supply) for _ in range(count))
    yield show(f"{count:,}: first night", *night(rows, folder))
    yield show(f"{count:,}: nothing changed", *night(rows, folder))
    new = [next(supply) for _ in range(added)]
    yield show(f"{count:,}: some changed", *night(after(rows, new, edited, withdrawn), folder))


def main() -> None:
    """Prints a line a night, and all of them as JSON."""
    corpus, counts = Path(sys.argv[1]), [int(word) for word in sys.argv[2:]] or [DOCUMENTS]
    told: list[dict[str, Any]] = []
    for count in counts:
        share = count // 100
        changes = (share, share, share) if len(counts) == 1 else (0, CHANGED, 0)
        with tempfile.TemporaryDirectory() as folder:
            told += one(corpus, count, Path(folder), *changes)
    print(json.dumps({"machine": machine(), "nights": told}))


if __name__ == "__main__":
    main()
