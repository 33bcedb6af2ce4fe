"""Whether a document's licence is known and allowed."""

from __future__ import annotations

from fanno_core.settings import Screen
from fanno_core.spdx import family_of, holds, spdx_of


def licence_fault(stated: str, settings: Screen) -> tuple[str, str] | None:
    """Reason and detail where a document may not be used, None where it may.

    `licence_unknown`: none is stated, or none that is recognised. `licence_not_allowed`: it is not among
    `settings.licences`, which hold SPDX ids or families (`CC-BY`, `BSD`); of an expression one side of OR has to be,
    and both sides of AND. With no licences named, every one that is recognised is allowed.
    """
    if not settings.require_licence:
        return None
    if not holds(stated, bool):
        # What a document's own field says is not repeated: a detail may end up in a message.
        return "licence_unknown", "none is stated" if not stated else "what is stated is no licence that is known"
    allowed = {name.casefold() for name in settings.licences}
    if allowed and not holds(stated, lambda name: bool({name.casefold(), family_of(name).casefold()} & allowed)):
        return "licence_not_allowed", spdx_of(stated) or "an expression of several licences"
    return None
