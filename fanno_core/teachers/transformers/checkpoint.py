"""A model's folder or hub name to its configuration, tokenizer, weights and identity."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fanno_core.errors import BadSettings, MissingExtra, RunStops
from fanno_core.teachers.protocol import Identity

READ_BY_THE_MODEL = {".json", ".jinja", ".txt", ".model", ".tiktoken", ".safetensors", ".bin"}


@dataclass(frozen=True)
class Checkpoint:
    """A model that was found; its weights are not in memory yet."""

    source: str
    commit: str | None
    config: Any
    tokenizer: Any
    identity: Identity


def find_checkpoint(model: str, revision: str) -> Checkpoint:
    """The model's configuration and tokenizer, and who it is.

    Args:
        model: a folder, or a name on the hub.
        revision: revision on the hub; empty: the newest. A folder has none.

    Raises:
        MissingExtra: PyTorch or transformers is not installed.
        RunStops: the model cannot be loaded.
    """
    _require_packages()
    from transformers import AutoConfig, AutoTokenizer

    folder = Path(model)
    with _one_sentence(model):
        if folder.is_dir():
            commit, identity = None, Identity("transformers", folder.resolve().name, folder_revision(folder))
        else:
            commit = _hub_commit(model, revision)
            identity = Identity("transformers", model, commit)
        config = AutoConfig.from_pretrained(model, revision=commit, trust_remote_code=False)
        tokenizer = AutoTokenizer.from_pretrained(model, revision=commit, trust_remote_code=False)
    return Checkpoint(model, commit, config, tokenizer, identity)


def folder_revision(folder: Path) -> str:
    """First 12 hex digits of the SHA-256 over the names and contents of what a model is loaded from."""
    total = hashlib.sha256()
    for file in sorted(folder.iterdir()):
        if file.is_file() and file.suffix in READ_BY_THE_MODEL:
            with file.open("rb") as opened:
                digest = hashlib.file_digest(opened, "sha256").hexdigest()
            total.update(f"{file.name}\0{digest}\n".encode())
    return total.hexdigest()[:12]


def load_weights(checkpoint: Checkpoint, dtype: str) -> Any:
    """The model, ready to answer, on CUDA where torch sees a device and on the CPU otherwise.

    Args:
        checkpoint: from `find_checkpoint`.
        dtype: name of a torch precision, or `auto`: that of the checkpoint.

    Raises:
        RunStops: the weights cannot be loaded.
    """
    import torch
    from transformers import AutoModelForCausalLM, GenerationConfig
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    with _one_sentence(checkpoint.source):
        # Safetensors are taken where there are both kinds, which is transformers' own preference.
        model = AutoModelForCausalLM.from_pretrained(
            checkpoint.source, revision=checkpoint.commit, dtype=dtype, trust_remote_code=False
        )
        model = model.to("cuda" if torch.cuda.is_available() else "cpu").eval()
    # `generate` takes whatever it is not told from here: only the tokens that end an answer are the model's to say.
    ends = sorted(end_tokens(checkpoint.tokenizer, model.generation_config))
    model.generation_config = GenerationConfig(eos_token_id=ends or None, pad_token_id=ends[0] if ends else 0)
    return model


def end_tokens(tokenizer: Any, generation_config: Any) -> set[int]:
    """Ids of every token that ends an answer: chat models have several."""
    named = generation_config.eos_token_id
    listed = named if isinstance(named, list) else [named]
    return {token for token in [*listed, tokenizer.eos_token_id] if token is not None}


def longest_context(checkpoint: Checkpoint, wanted: int) -> int:
    """Tokens that prompt and answer may have together.

    Args:
        checkpoint: from `find_checkpoint`.
        wanted: the setting; 0: what the model has.

    Raises:
        BadSettings: neither the setting nor the model says how long.
    """
    possible = positions(checkpoint.config)
    if not possible and not wanted:
        raise BadSettings(
            f"teacher.context_tokens: the configuration of {checkpoint.source} does not tell its longest context; "
            "set it, such as --set teacher.context_tokens=4096"
        )
    return min(n for n in (possible, wanted) if n)


def positions(config: Any) -> int:
    """Positions that the model has; 0 where its configuration does not say."""
    return getattr(config.get_text_config(), "max_position_embeddings", 0) or 0


def _require_packages() -> None:
    missing = [name for name in ("torch", "transformers") if find_spec(name) is None]
    if missing:
        raise MissingExtra(f"teacher.name=transformers needs {' and '.join(missing)}: pip install fanno[models]")


def _hub_commit(model: str, revision: str) -> str:
    """The commit that the revision is at now: every file is taken from it, even if the hub moves on meanwhile."""
    from huggingface_hub import hf_hub_download

    return Path(hf_hub_download(model, "config.json", revision=revision or None)).parent.name


@contextmanager
def _one_sentence(model: str) -> Iterator[None]:
    """Turns what transformers raises for a model that cannot be loaded into one sentence."""
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, ImportError, RuntimeError, SafetensorError) as error:
        cause = str(error).strip().partition("\n")[0]
        raise RunStops(
            f"teacher.model {model}: this folder or hub name cannot be loaded ({type(error).__name__}: {cause})"
        ) from error
