"""Runs FANNO once for each of its phases, and lets that phase fail with an error that quotes all that it was given.

Started as a process of its own, with a secret in its environment: `python -m tests.security.every_phase_fails CORPUS
OUT key=value ...`. Prints every failure as Python would show it, then `PHASES` with how many failed.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import sys
import traceback
from typing import Any, NoReturn
from unittest.mock import patch

from deployments.server import prefect_api
from fanno_core.settings import load_settings

# What each phase calls to do its work, in the order of the phases, and two things that the flow itself calls.
WORK = (
    "flows.prescreen.find_sources",
    "tasks.ingest.ingest_sources",
    "tasks.screen.apply_rules",
    "tasks.screen.drop_duplicates",
    "tasks.screen.treat_personal_data",
    "tasks.screen.judge_documents",
    "tasks.communities.Vector",
    "tasks.communities.choose_representatives",
    "tasks.communities.Outcome",
    "tasks.instructions.write_seeds",
    "tasks.instructions.keep_novel",
    "tasks.instructions.augment_window",
    "tasks.responses.respond",
    "tasks.publish.publish_dataset",
    "tasks.run.write_run_record",
)


def fail(*given: Any, **named: Any) -> NoReturn:
    """Fails as the worst library does: its message is all that it was given, and so is that of its cause."""
    try:
        raise KeyError(repr((given, named)))
    except KeyError as cause:
        raise ValueError(f"{os.environ['OPENAI_API_KEY']} {given!r} {named!r}") from cause


def main(corpus: str, out: str, *assignments: str) -> None:
    """One run for each phase; what the phases before it made is there already."""
    flow = importlib.import_module("flows.fanno").fanno
    settings = load_settings(None, assignments)
    failed = 0
    with prefect_api():
        for name in WORK:
            print(f"--- {name}", flush=True)
            with patch(name, fail):
                try:
                    asyncio.run(flow([corpus], out, settings))
                except Exception:
                    failed += 1
                    traceback.print_exc()
    print(f"PHASES {failed}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
