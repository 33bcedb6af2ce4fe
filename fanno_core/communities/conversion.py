"""A sentence-transformers model as files for OpenVINO and `tokenizers`, made by a process of its own.

Conversion needs PyTorch, transformers and sentence-transformers, which hold 400 MiB until their process ends.
Encoding needs none of them: so a process converts and ends, and a run stays small.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

from fanno_core.communities.sentence_model import load_model
from fanno_core.errors import FannoError, RunStops
from fanno_core.settings import Encoder as Settings

MODEL = "model.xml"
TOKENIZER = "tokenizer.json"
REFUSED = 3
"""Exit status of a conversion whose last line says why there is none."""


def converted(folder: Path, settings: Settings, target: Path) -> None:
    """Leaves the model of a folder in `target`, as `MODEL` with its weights beside it, and as `TOKENIZER`.

    Raises:
        RunStops: the model cannot be loaded or converted.
    """
    command = [sys.executable, "-m", __name__, settings.model_dump_json(), str(folder), str(target)]
    done = subprocess.run(  # noqa: S603 - our own interpreter
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode == REFUSED:
        raise RunStops(done.stdout.splitlines()[-1])
    if done.returncode:
        raise RunStops(
            f"encoder.model {settings.model!r} could not be converted for OpenVINO (exit status {done.returncode}): "
            "encoder.runtime=torch does without"
        )


def openvino() -> Any:
    """The package `openvino`, kept from reporting home: on import it does, unless openvino_telemetry is absent."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino


def convert(folder: Path, settings: Settings, target: Path) -> None:
    """What `converted` asks for, in this process.

    Raises:
        MissingExtra: sentence-transformers is not installed.
        RunStops: there is no model in the folder, or its tokenizer needs Python.
    """
    model = load_model(folder, settings)
    backend = getattr(model.tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise RunStops(f"encoder.model {settings.model!r} has no fast tokenizer: encoder.runtime=torch does without")
    backend.no_padding()
    backend.enable_truncation(model.max_seq_length, direction=model.tokenizer.truncation_side)
    backend.save(str(target / TOKENIZER))
    openvino().save_model(_traced(model), target / MODEL, compress_to_fp16=False)


def _traced(model: Any) -> Any:
    import torch

    wanted = {"input_ids", "attention_mask", *({"token_type_ids"} & set(model.tokenizer.model_input_names))}
    example = {name: torch.ones((2, 16), dtype=torch.int64) for name in sorted(wanted)}
    logging.getLogger("transformers").setLevel(logging.ERROR)  # it has advice about tracing
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return openvino().convert_model(model[0].auto_model.eval(), example_input=example)


def main(settings: str, folder: str, target: str) -> None:
    """Converts, or says on its last line why not."""
    try:
        convert(Path(folder), Settings.model_validate_json(settings), Path(target))
    except FannoError as error:
        print(error)
        sys.exit(REFUSED)


if __name__ == "__main__":
    main(*sys.argv[1:])
