"""Every selector by its name. A selector is a file in this folder, its prompts, and a line here."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from fanno_core.errors import BadSettings
from fanno_core.selection.contract import Selector

SELECTORS: dict[str, str] = {
    "ifd": "fanno_core.selection.cherry:IFD",
    "pre-experience": "fanno_core.selection.cherry:PRE_EXPERIENCE",
    "superfilter": "fanno_core.selection.superfilter:SUPERFILTER",
    "superfilter-d": "fanno_core.selection.superfilter:SUPERFILTER_D",
    "judge": "fanno_core.selection.alpagasus:JUDGE",
    "humpback": "fanno_core.selection.humpback:HUMPBACK",
    "length": "fanno_core.selection.length:LENGTH",
    "diverse": "fanno_core.selection.diverse:DIVERSE",
}


def selector(name: str) -> Selector[Any]:
    """The selector of that name; its module is imported.

    Raises:
        BadSettings: there is none.
    """
    if name not in SELECTORS:
        raise BadSettings(f"there is no selector {name}; there are: {', '.join(SELECTORS)}")
    module, _, attribute = SELECTORS[name].partition(":")
    found: Selector[Any] = getattr(import_module(module), attribute)
    return found
