"""The encoder through OpenVINO against plain PyTorch, in turn on the same texts.

`python -m bench.encoder [CORPUS ...]`; the longer the texts, the smaller OpenVINO's lead.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence

import numpy as np

from bench.machine import machine
from fanno_core.communities.encoder import Encoder
from fanno_core.documents.ingest import ingest
from fanno_core.documents.sources import find_sources
from fanno_core.settings import Encoder as EncoderSettings
from fanno_core.settings import Ingest
from fanno_core.store.contracts import Floats

TEXTS = 512
ROUNDS = 3


def rate(encode: Callable[[Sequence[str]], Floats], texts: Sequence[str]) -> float:
    """Texts a second."""
    started = time.perf_counter()
    encode(texts)
    return len(texts) / (time.perf_counter() - started)


def main() -> None:
    """Prints rates round by round, the ratio of each round, and the largest difference of any component."""
    documents = ingest(find_sources(sys.argv[1:] or ["installed-docs"]), Ingest()).kept
    texts = [document.text for document in sorted(documents, key=lambda document: document.id)][:TEXTS]
    openvino, torch = (Encoder(EncoderSettings(runtime=runtime)) for runtime in ("openvino", "torch"))
    difference = float(np.abs(openvino.encode(texts) - torch.encode(texts)).max())
    rounds = [(rate(openvino.encode, texts), rate(torch.encode, texts)) for _ in range(ROUNDS)]
    for ours, theirs in rounds:
        print(f"OpenVINO {ours:6.1f} texts/s   PyTorch {theirs:6.1f} texts/s   ratio {ours / theirs:.2f}")
    figures = {
        "bench": "encoder",
        "machine": machine(),
        "texts": len(texts),
        "openvino_per_s": round(statistics.median(ours for ours, _ in rounds), 1),
        "torch_per_s": round(statistics.median(theirs for _, theirs in rounds), 1),
        "ratio": round(statistics.median(ours / theirs for ours, theirs in rounds), 2),
        "largest_difference": difference,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
