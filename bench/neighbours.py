"""Exact FAISS search against inverted lists, on the CPU and on the GPU if FAISS finds one, by number of vectors.

`python -m bench.neighbours [VECTORS ...]`; the rule of `communities.exact_below` rests on it.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence

import numpy as np

from bench.machine import machine
from fanno_core.communities.neighbours import Rows, build_index
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


def search(vectors: Floats, exact: bool, gpu: bool) -> tuple[float, Rows]:
    """Seconds to build and search, and the neighbours of each vector."""
    started = time.perf_counter()
    found = build_index(vectors, len(vectors) if exact else 0, seed=0, gpu=gpu).search(vectors, NEIGHBOURS)[1]
    return time.perf_counter() - started, found


def recall(truth: Rows, found: Rows) -> float:
    """Share of the true neighbours that were found."""
    return float(np.mean([len(set(a) & set(b)) / NEIGHBOURS for a, b in zip(truth, found, strict=True)]))


def measure(count: int, devices: Sequence[str]) -> Iterator[dict[str, object]]:
    """Figures of each way to search so many vectors; exact on the CPU is the truth of the others."""
    vectors = clustered(count)
    truth = None
    for device in devices:
        for kind in ("exact", "lists"):
            seconds, found = search(vectors, kind == "exact", device == "gpu")
            truth = found if truth is None else truth
            share = recall(truth, found)
            print(f"{count:>9,} vectors  {device}  {kind}  {seconds:7.2f} s  recall {share:.3f}", flush=True)
            yield {
                "vectors": count, "device": device, "search": kind, "s": round(seconds, 3), "recall": round(share, 4)
            }  # fmt: skip


def main() -> None:
    """Prints seconds to build and search, and the share of the true neighbours that each way finds."""
    found = build_index(clustered(1_000), 1_000, seed=0).device  # starts CUDA, too
    devices = list(dict.fromkeys(["cpu", found]))
    sizes = [int(argument) for argument in sys.argv[1:]] or SIZES
    figures = [figure for count in sizes for figure in measure(count, devices)]
    print(json.dumps({"bench": "neighbours", "machine": machine(), "figures": figures}))


if __name__ == "__main__":
    main()
