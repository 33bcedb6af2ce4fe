"""Exact FAISS search against inverted lists, by number of vectors: the rule of `communities.exact_below`."""

from __future__ import annotations

import json
import time

import numpy as np

from bench.machine import machine
from fanno_core.communities.neighbours import build_index
from fanno_core.store.contracts import Floats

DIMENSIONS = 384
NEIGHBOURS = 17
SIZES = (5_000, 20_000, 50_000)


def clustered(count: int) -> Floats:
    """Unit vectors around a twentieth as many centres, as screened documents are."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((count // 20, DIMENSIONS)).astype(np.float32)
    vectors = centres[rng.integers(len(centres), size=count)]
    vectors += 0.7 * rng.standard_normal((count, DIMENSIONS)).astype(np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def main() -> None:
    """Prints seconds to build and search, and the share of exact neighbours that inverted lists find."""
    figures = []
    for count in SIZES:
        vectors = clustered(count)
        found, seconds = {}, {}
        for name, exact_below in (("exact", count), ("lists", 0)):
            started = time.perf_counter()
            found[name] = build_index(vectors, exact_below, seed=0).search(vectors, NEIGHBOURS)[1]
            seconds[name] = round(time.perf_counter() - started, 2)
        pairs = zip(found["exact"], found["lists"], strict=True)
        recall = np.mean([len(set(exact) & set(lists)) / NEIGHBOURS for exact, lists in pairs])
        print(
            f"{count:>7,} vectors: exact {seconds['exact']:6.2f} s, "
            f"lists {seconds['lists']:6.2f} s, recall {recall:.3f}"
        )
        figures.append({"vectors": count, **seconds, "recall": round(float(recall), 4)})
    print(json.dumps({"bench": "neighbours", "machine": machine(), "sizes": figures}))


if __name__ == "__main__":
    main()
