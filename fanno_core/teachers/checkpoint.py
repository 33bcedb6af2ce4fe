"""A model's folder or hub name to its configuration, tokenizer, weights and identity."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fanno_core.errors import BadSettings, MissingExtra, RunStops
from fanno_core.extras import how_to_install
from fanno_core.teachers.protocol import Identity

READ_BY_THE_TOKENIZER = frozenset({".json", ".jinja", ".txt", ".model", ".tiktoken"})
READ_BY_THE_MODEL = READ_BY_THE_TOKENIZER | {".safetensors", ".bin"}


@dataclass(frozen=True)
class Checkpoint:
    """A model that was found; its weights are not in memory yet."""

    source: str
    commit: str | None
    config: Any
    tokenizer: Any
    identity: Identity


def find_checkpoint(teacher: str, model: str, revision: str, packages: Sequence[str] = ()) -> Checkpoint:
    """The model's configuration and tokenizer, and who it is.

    Args:
        teacher: name of the teacher that needs it.
        model: a folder, or a name on the hub.
        revision: revision on the hub; empty: the newest. A folder has none.
        packages: what that teacher imports besides transformers.

    Raises:
        MissingExtra: one of the packages is not installed.
        RunStops: the model cannot be loaded.
    """
    _require_packages(teacher, ("transformers", *packages))
    from transformers import AutoConfig, AutoTokenizer

    folder = Path(model)
    with one_sentence(model):
        if folder.is_dir():
            commit, identity = None, Identity(teacher, folder.resolve().name, folder_revision(folder))
        else:
            commit = hub_commit(model, revision)
            identity = Identity(teacher, model, commit)
        config = AutoConfig.from_pretrained(model, revision=commit, trust_remote_code=False)
        tokenizer = AutoTokenizer.from_pretrained(model, revision=commit, trust_remote_code=False)
    identity = replace(identity, template=template_digest(tokenizer))
    return Checkpoint(model, commit, config, tokenizer, identity)


@dataclass(frozen=True)
class Tokenizer:
    """A model's tokenizer without the model: its revision, and the digest of its chat template."""

    tokenizer: Any
    revision: str
    template: str


def find_tokenizer(teacher: str, source: str, revision: str) -> Tokenizer:
    """The tokenizer in a folder or of a hub model; nothing else of the model has to be there.

    Args:
        teacher: name of the teacher that needs it.
        source: a folder, or a name on the hub.
        revision: revision on the hub; empty: the newest. A folder has none.

    Raises:
        MissingExtra: transformers is not installed.
        RunStops: the tokenizer cannot be loaded.
    """
    _require_packages(teacher, ("transformers",))
    from transformers import AutoTokenizer

    folder = Path(source)
    with one_sentence(source, "tokenizer"):
        commit = None if folder.is_dir() else hub_commit(source, revision, "tokenizer_config.json")
        tokenizer = AutoTokenizer.from_pretrained(source, revision=commit, trust_remote_code=False)
    return Tokenizer(tokenizer, commit or folder_revision(folder, READ_BY_THE_TOKENIZER), template_digest(tokenizer))


def template_digest(tokenizer: Any) -> str:
    """First 8 hex digits of the SHA-256 of the tokenizer's chat template; empty where it has none."""
    template = str(tokenizer.get_chat_template()) if tokenizer.chat_template else ""
    return hashlib.sha256(template.encode()).hexdigest()[:8] if template else ""


def folder_revision(folder: Path, suffixes: Collection[str] = READ_BY_THE_MODEL) -> str:
    """First 12 hex digits of the SHA-256 over the names and contents of what a model is loaded from."""
    total = hashlib.sha256()
    for file in sorted(folder.iterdir()):
        if file.is_file() and file.suffix in suffixes:
            with file.open("rb") as opened:
                digest = hashlib.file_digest(opened, "sha256").hexdigest()
            total.update(f"{file.name}\0{digest}\n".encode())
    return total.hexdigest()[:12]


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


def _require_packages(teacher: str, packages: Sequence[str]) -> None:
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        extra = "gpu" if "vllm" in missing else "models"
        raise MissingExtra(f"teacher.name={teacher} needs {' and '.join(missing)}: {how_to_install(extra)}")


def hub_commit(model: str, revision: str, file: str = "config.json") -> str:
    """The commit that the revision is at now: every file is taken from it, even if the hub moves on meanwhile.

    Raises:
        OSError, ValueError: neither the hub nor its cache has the file.
    """
    from huggingface_hub import hf_hub_download

    return Path(hf_hub_download(model, file, revision=revision or None)).parent.name


@contextmanager
def one_sentence(model: str, setting: str = "model") -> Iterator[None]:
    """Turns what transformers raises for what cannot be loaded into one sentence."""
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, ImportError, RuntimeError, SafetensorError) as error:
        cause = str(error).strip().partition("\n")[0]
        raise RunStops(
            f"teacher.{setting} {model}: this folder or hub name cannot be loaded ({type(error).__name__}: {cause})"
        ) from error
