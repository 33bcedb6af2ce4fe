"""Prints the installed distributions that a requirement does not need, one a line: what an image leaves out.

`python docker/unneeded.py 'fanno[cpu,models]'`
"""

from __future__ import annotations

import sys
from importlib.metadata import distribution, distributions

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def needed(requirement: str) -> set[str]:
    """Names of the distributions that a requirement leads to, its own among them.

    Raises:
        PackageNotFoundError: one of them is not installed.
    """
    found: set[tuple[str, str]] = set()
    ahead = [Requirement(requirement)]
    while ahead:
        wanted = ahead.pop()
        name = canonicalize_name(wanted.name)
        for extra in {"", *wanted.extras} - {known for at, known in found if at == name}:
            found.add((name, extra))
            lines = [Requirement(line) for line in distribution(name).requires or []]
            ahead += [line for line in lines if line.marker is None or line.marker.evaluate({"extra": extra})]
    return {name for name, _ in found}


def unneeded(requirement: str) -> list[str]:
    """Names of the installed distributions that a requirement does not lead to, sorted.

    Raises:
        PackageNotFoundError: something that it leads to is not installed.
    """
    installed = {canonicalize_name(one.metadata["Name"]) for one in distributions()}
    return sorted(installed - needed(requirement))


if __name__ == "__main__":
    print(*unneeded(sys.argv[1]), sep="\n")
