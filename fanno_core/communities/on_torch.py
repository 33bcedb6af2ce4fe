"""A sentence-transformers model as it is, on PyTorch."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from fanno_core.communities.sentence_model import load_model
from fanno_core.settings import Encoder as Settings
from fanno_core.store.contracts import Floats


def torch_encode(folder: Path, settings: Settings) -> Callable[[Sequence[str]], Floats]:
    """A function from texts to unit vectors, `[n, d]` float32.

    Raises:
        MissingExtra: sentence-transformers is not installed.
        RunStops: there is no model in the folder.
    """
    model, lock = load_model(folder, settings), threading.Lock()

    def encode(texts: Sequence[str]) -> Floats:
        with lock:
            vectors: Floats = model.encode(list(texts), normalize_embeddings=True, show_progress_bar=False)
        return vectors.astype(np.float32)

    return encode
