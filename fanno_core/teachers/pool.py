"""The file in which a worker tells its flow runs where the model is served, and which model it is."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from fanno_core.errors import RunStops
from fanno_core.store.durable import write_durably

# Environment variable that names the file; a worker sets it, and its flow runs inherit it.
POOL_VARIABLE = "FANNO_POOL"


@dataclass(frozen=True)
class Pool:
    """Servers that all serve one model.

    `name` is the work pool's; `model` is the hub name or the folder's name, `revision` its commit or digest;
    `served` is what requests call it. `tokenizer` is where its tokenizer is loaded from, a folder or a hub name.
    `endpoints` are base addresses such as `http://127.0.0.1:8101/v1`.
    """

    name: str
    model: str
    served: str
    revision: str
    tokenizer: str
    context_tokens: int
    endpoints: tuple[str, ...]


def write_pool(path: Path, pool: Pool) -> None:
    """Writes the file, whole or not at all."""
    write_durably(path, json.dumps(asdict(pool), indent=2).encode())


def read_pool(path: Path) -> Pool:
    """The pool that the file tells of.

    Raises:
        RunStops: the file is missing, or it is no pool.
    """
    advice = "start `fanno worker` again, or unset " + POOL_VARIABLE
    try:
        return TypeAdapter(Pool).validate_json(path.read_bytes())
    except OSError as error:
        raise RunStops(f"pool file {path}: {error.strerror}; {advice}") from None
    except ValidationError as error:
        raise RunStops(f"pool file {path} is no pool ({error.errors()[0]['msg']}); {advice}") from None
