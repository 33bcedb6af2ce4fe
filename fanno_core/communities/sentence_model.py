"""Loading a sentence-transformers model. It imports hundreds of MiB, so only what needs PyTorch does it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fanno_core.errors import MissingExtra, RunStops
from fanno_core.extras import how_to_install
from fanno_core.settings import Encoder as Settings

NOT_INSTALLED = f"the encoder needs sentence-transformers: {how_to_install('models')}"


def load_model(folder: Path, settings: Settings) -> Any:
    """The model in a folder, which cuts texts where the settings and the model allow.

    Raises:
        MissingExtra: sentence-transformers is not installed.
        RunStops: there is no model in the folder.
    """
    try:
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging as transformers_logging
    except ImportError:
        raise MissingExtra(NOT_INSTALLED) from None
    transformers_logging.disable_progress_bar()
    try:
        model = SentenceTransformer(str(folder), trust_remote_code=False)
    except Exception as error:
        raise RunStops(
            f"encoder.model {settings.model!r} cannot be loaded ({type(error).__name__}): "
            "name a sentence-transformers model or a folder that holds one"
        ) from None
    model.max_seq_length = min(settings.max_tokens, model.max_seq_length or settings.max_tokens)
    return model
