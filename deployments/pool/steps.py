"""What Prefect does before a flow run: `prefect.yaml` names these."""

from __future__ import annotations

import os
from pathlib import Path

from deployments.pool.reaping import note_run

# Set by `fanno worker` for its flow runs.
FOLDER_VARIABLE = "FANNO_FOLDER"


def folder_of_worker() -> dict[str, str]:
    """The folder of a flow run: where `fanno worker` was started, or else the user's home.

    Prefect would give the run a temporary folder, in which an `out` that is not absolute is lost at the end.
    """
    note_run()
    return {"directory": os.environ.get(FOLDER_VARIABLE) or str(Path.home())}
