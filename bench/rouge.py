"""ROUGE-L novelty over a pool: `RougePool` against the package `rouge_score`, and 52,000 instructions in order.

`python -m bench.rouge FILE.jsonl [FILE.jsonl ...]`: rows with an `instruction`, of which more are made by swapping
words. Where `rouge_score` is not installed, its algorithm as it stands there, in Python, takes its place.
"""

from __future__ import annotations

import importlib
import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from bench.machine import machine
from fanno_core.rouge import RougePool, largest_rouge_l, tokens_of

COUNT = 52_000
THRESHOLD = 0.7
POOL = 2_000
QUERIES = 100
ROUNDS = 3

Score = Callable[[str, str], float]


def varied(texts: Sequence[str], count: int) -> list[str]:
    """So many instructions: the texts themselves, and then copies with a fifth to four fifths of their words swapped.

    Swapped for words of any of the texts, as often as these use them.
    """
    rng = random.Random(0)
    words = [word for text in texts for word in text.split()]
    made = list(texts[:count])
    while len(made) < count:
        share = rng.choice((0.2, 0.4, 0.6, 0.8))
        made.append(" ".join(rng.choice(words) if rng.random() < share else word for word in rng.choice(texts).split()))
    rng.shuffle(made)
    return made


def reference() -> tuple[str, Score]:
    """`rouge_score` where it is installed, or what it does, and which of the two it is."""
    try:
        scorer = importlib.import_module("rouge_score.rouge_scorer").RougeScorer(["rougeL"], use_stemmer=False)
    except ImportError:
        return "its algorithm in Python", in_python
    return "rouge_score", lambda one, other: float(scorer.score(one, other)["rougeL"].fmeasure)


def in_python(one: str, other: str) -> float:
    """ROUGE-L F by the table of `rouge_score`."""
    rows, columns = tokens_of(one), tokens_of(other)
    table = [[0] * (len(columns) + 1) for _ in range(len(rows) + 1)]
    for i, a in enumerate(rows, 1):
        for j, b in enumerate(columns, 1):
            table[i][j] = table[i - 1][j - 1] + 1 if a == b else max(table[i - 1][j], table[i][j - 1])
    if not table[-1][-1]:
        return 0.0
    precision, recall = table[-1][-1] / len(columns), table[-1][-1] / len(rows)
    return 2 * precision * recall / (precision + recall)


def paired(texts: Sequence[str]) -> dict[str, object]:
    """Pairs a second of both, in turn, and that their answers are equal; ours with the pool built."""
    name, score = reference()
    ratios, rates = [], []
    for round_ in range(ROUNDS):
        pool, queries = texts[:POOL], texts[POOL + round_ * QUERIES :][:QUERIES]
        started = time.perf_counter()
        theirs = [max(score(other, text) for other in pool) for text in queries]
        between = time.perf_counter()
        held = RougePool(pool)
        ours = [held.largest(text)[0] for text in queries]
        ended = time.perf_counter()
        assert ours == theirs
        pairs = len(pool) * len(queries)
        rates.append((pairs / (ended - between), pairs / (between - started)))
        ratios.append((between - started) / (ended - between))
    print(f"against {name}, pool of {POOL:,}: {median(ratios):,.0f} times its rate (rounds {min(ratios):,.0f} to "
          f"{max(ratios):,.0f}); {median(rate for rate, _ in rates):,.0f} and {median(rate for _, rate in rates):,.0f} "
          "pairs/s, building the pool included", flush=True)  # fmt: skip
    return {"reference": name, "pool": POOL, "ratio": round(median(ratios), 1), "ratios": [round(r, 1) for r in ratios]}


def accepted(texts: Sequence[str]) -> tuple[float, int]:
    """Seconds to take texts in order that are not too like one taken before, and how many were taken."""
    started, pool = time.perf_counter(), RougePool()
    for text in texts:
        if pool.exceeds(text, THRESHOLD) is None:
            pool.add(text)
    return time.perf_counter() - started, len(pool)


def main() -> None:
    """Prints the ratio of the rates, and seconds for each task over 52,000 instructions."""
    lines = [line for path in sys.argv[1:] for line in Path(path).read_text(encoding="utf-8").splitlines()]
    texts = varied([json.loads(line)["instruction"] for line in lines], COUNT)
    figures = paired(texts)
    in_order_s, kept = accepted(texts)
    print(f"{len(texts):,} in order, threshold {THRESHOLD}: {in_order_s:.1f} s, {kept:,} taken", flush=True)
    started = time.perf_counter()
    largest = largest_rouge_l([tokens_of(text) for text in texts])
    all_pairs_s = time.perf_counter() - started
    print(f"largest of each to any other: {all_pairs_s:.1f} s, mean {largest.mean():.3f}", flush=True)
    figures |= {"texts": len(texts), "in_order_s": round(in_order_s, 1), "all_pairs_s": round(all_pairs_s, 1)}
    print(json.dumps({"bench": "rouge", "machine": machine(), "figures": figures}))


if __name__ == "__main__":
    main()
