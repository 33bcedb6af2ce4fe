"""Everything that a run needs, looked at in the order in which it is to be mended."""

from __future__ import annotations

from collections.abc import Iterator

from deployments.doctor.finding import Finding
from deployments.doctor.machine import disk, gpu
from deployments.doctor.packages import packages, python_version
from deployments.doctor.services import encoder, prefect_server, teacher
from fanno_core.settings import Settings


def examine(settings: Settings, out: str, quick: bool) -> Iterator[Finding]:
    """What a run with these settings to this folder would find.

    Args:
        settings: all settings.
        out: folder or s3:// URL.
        quick: load no model and ask no question.
    """
    yield python_version()
    yield from packages(settings, out)
    yield gpu(settings)
    yield disk(out)
    yield prefect_server()
    if not quick:
        yield encoder(settings)
        yield teacher(settings)
