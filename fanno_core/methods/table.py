"""Every method by its name. A method is a file in this folder, its prompts in `fanno_core/prompts`, and a line here."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, TypeVar

from fanno_core.errors import BadSettings
from fanno_core.methods.contract import Generator, Transform

Kind = TypeVar("Kind", Generator[Any], Transform[Any])

GENERATORS: dict[str, str] = {
    "self-instruct": "fanno_core.methods.self_instruct:SELF_INSTRUCT",
    "alpaca": "fanno_core.methods.alpaca:ALPACA",
    "backtranslation": "fanno_core.methods.backtranslation:BACKTRANSLATION",
    "oss-instruct": "fanno_core.methods.oss_instruct:OSS_INSTRUCT",
    "magpie": "fanno_core.methods.magpie:MAGPIE",
}
"""`fanno run --method NAME`, besides `fanno`, which is a flow of its own."""

TRANSFORMS: dict[str, str] = {
    "evol-instruct": "fanno_core.methods.evol_instruct:EVOL_INSTRUCT",
    "re-answer": "fanno_core.methods.re_answer:RE_ANSWER",
    "reflect": "fanno_core.methods.reflect:REFLECT",
    "selective-reflect": "fanno_core.methods.selective_reflect:SELECTIVE_REFLECT",
    "mosaic": "fanno_core.methods.mosaic:MOSAIC",
    "ruler": "fanno_core.methods.ruler:RULER",
}
"""`fanno transform --with NAME`."""


def generator(name: str) -> Generator[Any]:
    """The generating method of that name; its module is imported.

    Raises:
        BadSettings: there is none.
    """
    return _load(GENERATORS, Generator, name, "fanno run --method")


def transform(name: str) -> Transform[Any]:
    """The transforming method of that name; its module is imported.

    Raises:
        BadSettings: there is none.
    """
    return _load(TRANSFORMS, Transform, name, "fanno transform --with")


def _load(table: Mapping[str, str], kind: type[Kind], name: str, command: str) -> Kind:
    if name not in table:
        raise BadSettings(f"there is no method {name} for `{command}`; there are: {', '.join(table)}")
    module, _, attribute = table[name].partition(":")
    found = getattr(import_module(module), attribute)
    if not isinstance(found, kind):
        raise TypeError(f"{table[name]} is no {kind.__name__}")
    return found
