"""What a refresh tells Prefect's automations."""

from __future__ import annotations

from collections.abc import Sequence

from prefect.events import emit_event

HELD = "fanno.version.held"


def emit_held(version: int, reasons: Sequence[str], out: str) -> None:
    """Tells that a version was held back, and why. Within a flow run the event is related to that run.

    Args:
        version: its number.
        reasons: a sentence for each limit that does not hold.
        out: the output folder, as the user named it.
    """
    emit_event(
        HELD,
        resource={
            "prefect.resource.id": f"fanno.version.{version:06d}",
            "prefect.resource.name": f"version {version} of {out}",
        },
        payload={"version": version, "reasons": list(reasons), "out": out},
    )
