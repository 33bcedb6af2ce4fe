"""The licence that a teacher's model declares, found without asking anybody.

The setting `teacher.licence` comes first, then the model's card (`README.md`, its front matter) and `config.json`: in
the model's folder, or in the hub's cache on this machine. Of a server, the model and the tokenizer that the settings
name are looked up in the same way; what it really serves cannot be seen from here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from fanno_core import settings
from fanno_core.errors import RunStops
from fanno_core.spdx import is_open, shown

CARD, CONFIG = "README.md", "config.json"
MOST_CHARS = 100_000
EXTRACTIVE = "Apache-2.0"
"""It is this project's own code."""

STATED = {settings.MISTRAL: "Apache-2.0"}
"""Of the default model, whose card nothing fetches. Source: its page on the hub."""


def require_open(chosen: settings.Teacher) -> None:
    """Refuses a teacher that is not known to be open.

    Raises:
        RunStops: the licence is not open, or none is declared.
    """
    licence = declared_licence(chosen)
    who = f"teacher {chosen.name}" + (f" ({chosen.model})" if chosen.model else "")
    if not licence:
        raise RunStops(
            f"{who} declares no licence, and only open teachers are asked for; read the model's card and name its "
            "licence, such as --set teacher.licence=Apache-2.0"
        )
    if not is_open(licence):
        raise RunStops(
            f"{who} is under {licence[:80]}, which is no open licence that is known here, and only open teachers are "
            "asked for"
        )


def declared_licence(chosen: settings.Teacher) -> str:
    """The licence of the teacher's model, by its SPDX id where it is recognised; empty where none is declared."""
    if chosen.licence:
        return shown(chosen.licence)
    if chosen.name == "extractive":
        return EXTRACTIVE
    default = settings.MISTRAL if chosen.name == "vllm" else ""
    for model in filter(None, (chosen.model or default, chosen.tokenizer)):
        stated = next(filter(None, _stated(model, chosen.revision)), "") or STATED.get(model, "")
        if stated:
            return shown(stated)
    return ""


def _stated(model: str, revision: str) -> Iterator[str]:
    for name, read in ((CARD, _of_card), (CONFIG, _of_config)):
        file = _file_of(model, revision, name)
        if file:
            try:
                with file.open(encoding="utf-8") as opened:
                    yield _name_in(read(opened.read(MOST_CHARS)))
            except (OSError, ValueError, RecursionError, yaml.YAMLError):
                continue


def _file_of(model: str, revision: str, name: str) -> Path | None:
    """A file of a model's folder, or of the hub's cache on this machine."""
    if Path(model).is_dir():
        return Path(model) / name if (Path(model) / name).is_file() else None
    try:
        from huggingface_hub import try_to_load_from_cache

        found = try_to_load_from_cache(model, name, revision=revision or None)
    except (ImportError, ValueError):  # not installed, or no name that the hub could have
        return None
    return Path(found) if isinstance(found, str) else None


def _of_card(text: str) -> Any:
    if not text.startswith("---"):
        return {}
    return yaml.safe_load(text.removeprefix("---").partition("\n---")[0])


def _of_config(text: str) -> Any:
    return json.loads(text)


def _name_in(values: Any) -> str:
    """The licence in front matter or configuration; of several, no one says which part each is for, so all hold."""
    if not isinstance(values, dict):
        return ""
    stated = values.get("license") or values.get("licence") or ""
    if stated == "other":  # the hub's word for a licence that it has no word for
        stated = values.get("license_name") or stated
    names = [name for name in (stated if isinstance(stated, list) else [stated]) if isinstance(name, str)]
    return " AND ".join(" ".join(name.split()) for name in names)
