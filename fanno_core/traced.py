"""PyTorch modules as OpenVINO runs them on the CPU, in fp32: two to three times as fast there as PyTorch."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

WIDTH_STEP = 16


def openvino() -> Any:
    """The package `openvino`, kept from reporting home: on import it does, unless openvino_telemetry is absent."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino


def traced(module: Any, example: Mapping[str, Any]) -> Any:
    """A module as a model of OpenVINO's, of which every dimension of the inputs may change.

    Args:
        module: a `torch.nn.Module` in evaluation mode.
        example: its arguments by name, as tensors.

    Raises:
        Exception: OpenVINO lacks an operation of the module; of no one type.
    """
    advice = logging.getLogger("transformers")  # which it has about tracing
    before = advice.level
    advice.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return openvino().convert_model(module, example_input=dict(example))
    finally:
        advice.setLevel(before)


def compiled(model: Any | Path, streams: int, cores: int = 0) -> Any:
    """A model, or its file, ready to run.

    Args:
        model: from `traced`, or saved by OpenVINO.
        streams: requests that run at the same time.
        cores: which they share; 0: all.
    """
    config = {"INFERENCE_PRECISION_HINT": "f32", "NUM_STREAMS": streams, "INFERENCE_NUM_THREADS": cores}
    return openvino().Core().compile_model(model, "CPU", config)


def width_of(tokens: int) -> int:
    """How wide a batch is in which a text of so many tokens stands: there are few widths, since each costs anew."""
    return -(-tokens // WIDTH_STEP) * WIDTH_STEP


def batches_of_one_width(lengths: Sequence[int], most_tokens: int, most_rows: int | None = None) -> list[list[int]]:
    """Row numbers in batches of texts that are padded to one width, the widest first.

    A text's width comes from its own length and not from its neighbours': so what is computed of it is the same
    whatever it is batched with, and no byte of a data set depends on how its rows were dealt into shards.

    Args:
        lengths: tokens of each text.
        most_tokens: of a batch, padding included; a batch has one text at least.
        most_rows: of a batch.
    """
    widths: dict[int, list[int]] = {}
    for row, length in enumerate(lengths):
        widths.setdefault(width_of(length), []).append(row)
    batches: list[list[int]] = []
    for width, rows in sorted(widths.items(), reverse=True):
        most = max(1, min(most_rows or len(rows), most_tokens // width))
        batches += [rows[i : i + most] for i in range(0, len(rows), most)]
    return batches
