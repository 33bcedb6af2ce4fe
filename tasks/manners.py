"""How each phase works, as digests: rows that were made in two manners are not mixed."""

from __future__ import annotations

from collections.abc import Mapping

from fanno_core.decontamination.benchmarks import find_benchmarks
from fanno_core.errors import RunStops
from fanno_core.responses.answers import response_mode
from fanno_core.settings import Settings
from fanno_core.store.fingerprint import fingerprint
from tasks.changes import CHANGES, STANDING
from tasks.communities import COMMUNITIES, ENCODE
from tasks.decontaminate import PHASE as DECONTAMINATE
from tasks.ingest import PHASE as INGEST
from tasks.instructions import AUGMENT, NOVELTY, SEEDS
from tasks.joining import JOINING
from tasks.phase import Phase, manner
from tasks.responses import phase_of
from tasks.screen import DUPLICATES, PRIVACY, RULES, VERDICTS
from tasks.teachers import needs_context


def manners(settings: Settings, versions: Mapping[str, int] | None = None) -> dict[str, str]:
    """How each phase works with these settings, as a digest.

    Args:
        settings: all settings.
        versions: of phases where they are not those of today.
    """
    mode = response_mode(settings, needs_context(settings))
    phases: list[Phase] = [INGEST, RULES, DUPLICATES, PRIVACY, VERDICTS, ENCODE, COMMUNITIES, SEEDS, NOVELTY, AUGMENT]
    phases += [phase_of(mode), DECONTAMINATE, CHANGES, STANDING, JOINING]
    now = {phase.name: phase.version for phase in phases} | dict(versions or {})
    found = {phase.name: fingerprint(phase.name, now[phase.name], manner(phase, settings)) for phase in phases}
    # Rows that stand were held against the benchmarks of their night alone.
    benchmarks = [[file.name, file.digest] for file in find_benchmarks(settings.decontaminate)]
    return found | {DECONTAMINATE.name: fingerprint(found[DECONTAMINATE.name], 0, {"files": benchmarks})}


def same_manner(before: Mapping[str, str], now: Mapping[str, str], what: str) -> None:
    """Refuses to mix rows that were made in two manners; `what` says where those lie that are there.

    Raises:
        RunStops: a phase works otherwise.
    """
    changed = [name for name in now if now[name] != before.get(name)]
    if changed:
        raise RunStops(
            f"phases {', '.join(changed)} work otherwise than for {what}: settings, prompts, the teacher, "
            "the encoder or FANNO itself have changed; set them back, or make everything anew with --rebuild"
        )
