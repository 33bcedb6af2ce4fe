"""What a worker serves, and where: a model, its revision, and the GPUs or processors and ports of its servers."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from fanno_core.errors import BadSettings, MissingExtra, RunStops
from fanno_core.extras import how_to_install
from fanno_core.teachers.checkpoint import folder_revision, hub_commit

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Serving:
    """What is served, and how. Without `gpus` it is served on the CPU, by so many `servers`."""

    model: str
    revision: str = ""
    served_name: str = ""
    gpus: tuple[str, ...] = ()
    servers: int = 1
    tensor_parallel: int = 1
    dtype: str = "auto"
    context_tokens: int = 0
    memory_share: float = 0.9
    cpu_cache_gib: int = 1
    prefix_cache: bool = True
    python: str = sys.executable
    first_port: int = 8101
    start_limit_s: float = 1800.0

    @property
    def is_folder(self) -> bool:
        """Whether the model is a folder rather than a hub name."""
        return Path(self.model).is_dir()

    @property
    def name(self) -> str:
        """The model's own name: that of its folder, or on the hub."""
        return Path(self.model).resolve().name if self.is_folder else self.model

    @property
    def source(self) -> str:
        """Where it is loaded from, from whatever folder."""
        return str(Path(self.model).resolve()) if self.is_folder else self.model

    @property
    def interpreter(self) -> str:
        """The Python that runs the servers, from whatever folder; links stay, since they tell its environment."""
        return str(Path(shutil.which(self.python) or self.python).absolute())


@dataclass(frozen=True)
class Place:
    """Where one server runs: its port, and its GPUs or its part of the processors."""

    port: int
    gpus: tuple[str, ...] = ()
    processors: tuple[int, ...] = ()

    @property
    def endpoint(self) -> str:
        """Base address for clients of OpenAI's interface."""
        return f"http://{HOST}:{self.port}/v1"

    def __str__(self) -> str:
        return f"vLLM on {'GPU ' + ','.join(self.gpus) if self.gpus else 'the CPU'}, port {self.port}"


def model_revision(serving: Serving) -> str:
    """The digest of a folder's files, or the hub's commit that the revision is at now.

    Raises:
        RunStops: there is no such folder, and no such model on the hub.
    """
    if serving.is_folder:
        return folder_revision(Path(serving.model))
    try:
        return hub_commit(serving.model, serving.revision)
    except (OSError, ValueError) as error:
        raise RunStops(
            f"--model {serving.model}: no such folder, and the hub does not give it ({type(error).__name__}); "
            "name a folder with weights, or a model that the hub or its cache has"
        ) from error


def places(serving: Serving) -> list[Place]:
    """Where the servers run, on ports that are free now.

    Raises:
        BadSettings: the GPUs cannot be shared out evenly, or `servers` is given with GPUs.
        RunStops: no port is free.
    """
    each = serving.tensor_parallel
    if not serving.gpus:
        ports = _free_ports(serving.first_port, serving.servers)
        parts = _parts(sorted(os.sched_getaffinity(0)), serving.servers)
        return [Place(port, processors=part) for port, part in zip(ports, parts, strict=True)]
    if serving.servers != 1:
        raise BadSettings("--servers is for the CPU; on GPUs there is one server a GPU, so choose them with --gpus")
    if len(serving.gpus) % each:
        raise BadSettings(
            f"--tensor-parallel {each}: {len(serving.gpus)} GPUs cannot be shared out in groups of {each}"
        )
    groups = [serving.gpus[first : first + each] for first in range(0, len(serving.gpus), each)]
    ports = _free_ports(serving.first_port, len(groups))
    return [Place(port, gpus=group) for port, group in zip(ports, groups, strict=True)]


def visible_gpus(variables: Mapping[str, str]) -> tuple[str, ...]:
    """The GPUs of this machine, as far as `CUDA_VISIBLE_DEVICES` shows them."""
    if "CUDA_VISIBLE_DEVICES" in variables:
        return tuple(part for part in variables["CUDA_VISIBLE_DEVICES"].replace(" ", "").split(",") if part)
    tool = shutil.which("nvidia-smi")
    if not tool:
        return ()
    listed = subprocess.run(  # noqa: S603 - found on the path
        [tool, "--query-gpu=index", "--format=csv,noheader"], capture_output=True, text=True, check=False
    )
    return tuple(listed.stdout.split()) if listed.returncode == 0 else ()


def require_vllm(python: str) -> None:
    """Checks that the interpreter is there and, where it is this one, that it has vLLM.

    Raises:
        BadSettings: there is no such interpreter.
        MissingExtra: vLLM is not installed beside this program.
    """
    if not shutil.which(python):
        raise BadSettings(f"--vllm-python {python}: no such interpreter; name the python of an environment with vLLM")
    if python == sys.executable and find_spec("vllm") is None:
        raise MissingExtra(
            f"fanno worker --model needs vLLM: {how_to_install('gpu')}, "
            "or name the python of an environment that has it with --vllm-python"
        )


def _free_ports(first: int, count: int) -> list[int]:
    free = [port for port in range(first, min(first + 100 + count, 65_536)) if _is_free(port)][:count]
    if len(free) < count:
        raise RunStops(f"--first-port {first}: fewer than {count} ports from there on are free; name another")
    return free


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _parts(processors: Sequence[int], count: int) -> list[tuple[int, ...]]:
    """The processors shared out evenly; where there are fewer than servers, some share one."""
    size = max(1, len(processors) // count)
    return [tuple(processors[(n * size + k) % len(processors)] for k in range(size)) for n in range(count)]
