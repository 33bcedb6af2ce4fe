"""A sentence-transformers model as files for OpenVINO and `tokenizers`, made by a process of its own.

Conversion needs PyTorch, transformers and sentence-transformers, which take seconds to import and hold 400 MiB until
their process ends. Encoding needs none of them: so a process converts and ends, and a run stays small. What it has made
is kept in the user's cache folder for the next run.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from contextlib import suppress
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from platformdirs import user_cache_path

from fanno_core.communities.sentence_model import load_model
from fanno_core.errors import FannoError, RunStops
from fanno_core.settings import Encoder as Settings
from fanno_core.store.durable import file_digest
from fanno_core.store.fingerprint import fingerprint
from fanno_core.traced import openvino, traced

MODEL = "model.xml"
TOKENIZER = "tokenizer.json"
WHOLE = "whole.json"
VERSION = 1
"""Raised whenever the same model would be converted to other bytes."""
DEPENDS_ON = ("openvino", "torch", "transformers", "sentence-transformers", "tokenizers")
REFUSED = 3
"""Exit status of a conversion whose last line says why there is none."""


def converted(folder: Path, settings: Settings, digest: str) -> Path:
    """A folder with the model as `MODEL`, its weights beside it, and `TOKENIZER`: one that an earlier run made, or new.

    Args:
        folder: the model as sentence-transformers has it.
        settings: what it is called, and where it cuts texts.
        digest: of its files.

    Raises:
        RunStops: the model cannot be loaded or converted.
    """
    versions = {name: version(name) for name in DEPENDS_ON if find_spec(name.replace("-", "_"))}
    parts = {"model": digest, "max_tokens": settings.max_tokens, "versions": versions}
    place = user_cache_path("fanno") / "encoders" / fingerprint("encoder", VERSION, parts)
    if not _is_whole(place):
        _convert_into(place, folder, settings)
    return place


def _convert_into(place: Path, folder: Path, settings: Settings) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".", dir=place.parent) as made:
        _by_a_process(folder, settings, Path(made))
        digests = {path.name: file_digest(path) for path in sorted(Path(made).iterdir())}
        (Path(made) / WHOLE).write_text(json.dumps(digests), encoding="utf-8")
        shutil.rmtree(place, ignore_errors=True)
        with suppress(OSError):  # another run has just made it
            Path(made).rename(place)
    if not _is_whole(place):
        raise RunStops(
            f"the converted encoder cannot be kept in {place}: make room there, or set encoder.runtime=torch"
        )


def _is_whole(place: Path) -> bool:
    """Whether every file is there as it was made: a flipped bit would change vectors, and nobody would notice."""
    try:
        digests = json.loads((place / WHOLE).read_text(encoding="utf-8"))
        return bool(digests) and all(file_digest(place / name) == digest for name, digest in digests.items())
    except (OSError, ValueError, AttributeError):
        return False


def _by_a_process(folder: Path, settings: Settings, target: Path) -> None:
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


def convert(folder: Path, settings: Settings, target: Path) -> None:
    """Leaves the model in `target`.

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
    return traced(model[0].auto_model.eval(), example)


def main(settings: str, folder: str, target: str) -> None:
    """Converts, or says on its last line why not."""
    try:
        convert(Path(folder), Settings.model_validate_json(settings), Path(target))
    except FannoError as error:
        print(error)
        sys.exit(REFUSED)


if __name__ == "__main__":
    main(*sys.argv[1:])
