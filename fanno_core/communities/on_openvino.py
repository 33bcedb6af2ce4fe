"""A transformer with mean pooling on the CPU, through OpenVINO and `tokenizers` alone."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from fanno_core.communities.conversion import MODEL, TOKENIZER, converted
from fanno_core.communities.sentence_model import NOT_INSTALLED
from fanno_core.errors import MissingExtra
from fanno_core.settings import Encoder as Settings
from fanno_core.store.contracts import Floats
from fanno_core.traced import batches_of_one_width, compiled, width_of

# Small batches of texts of about one length waste less on padding than they lose on overhead; and of wide texts
# a few fill the caches: more are no faster, and each stream keeps the memory of its largest batch.
BATCH = 8
BATCH_TOKENS = 512
MOST_STREAMS = 16


def openvino_encode(folder: Path, settings: Settings, digest: str) -> Callable[[Sequence[str]], Floats]:
    """A function from texts to unit vectors, `[n, d]` float32.

    Args:
        folder: the model.
        settings: what it is called, and where it cuts texts.
        digest: of the model's files.

    Raises:
        MissingExtra: sentence-transformers is not installed.
        RunStops: the model cannot be loaded or converted.
    """
    if not find_spec("sentence_transformers"):  # which brings tokenizers
        raise MissingExtra(NOT_INSTALLED)
    from tokenizers import Tokenizer

    target = converted(folder, settings, digest)
    tokenizer = Tokenizer.from_file(str(target / TOKENIZER))
    model = compiled(target / MODEL, min(os.cpu_count() or 1, MOST_STREAMS))
    lock = threading.Lock()

    def encode(texts: Sequence[str]) -> Floats:
        with lock:
            return _vectors(model, [encoding.ids for encoding in tokenizer.encode_batch_fast(list(texts))])

    return encode


def _vectors(model: Any, tokens: Sequence[list[int]]) -> Floats:
    """Unit vectors of texts by their tokens.

    No callback of OpenVINO's: its threads would call Python, which aborts a process that ends meanwhile.
    """
    names = {name for port in model.inputs for name in port.names}
    vectors: Floats = np.zeros((len(tokens), model.output(0).partial_shape[2].get_length()), np.float32)
    # Twice as many requests as streams, so that no stream waits while Python pools.
    idle = [model.create_infer_request() for _ in range(2 * model.get_property("NUM_STREAMS"))]
    under_way: deque[tuple[Any, list[int], Any]] = deque()

    def finish_oldest() -> None:
        request, rows, mask = under_way.popleft()
        request.wait()
        total = (request.get_output_tensor(0).data * mask[..., None].astype(np.float32)).sum(axis=1)
        vectors[rows] = total / np.linalg.norm(total, axis=1, keepdims=True)
        idle.append(request)

    for rows in batches_of_one_width([len(row) for row in tokens], BATCH_TOKENS, BATCH):
        if not idle:
            finish_oldest()
        ids, mask = _padded([tokens[i] for i in rows])
        feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        idle[-1].start_async({name: values for name, values in feed.items() if name in names})
        under_way.append((idle.pop(), rows, mask))
    while under_way:
        finish_oldest()
    return vectors


def _padded(rows: list[list[int]]) -> tuple[Any, Any]:
    width = width_of(max(len(row) for row in rows))
    ids = np.zeros((len(rows), width), np.int64)
    mask = np.zeros_like(ids)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = row
        mask[i, : len(row)] = 1
    return ids, mask
