"""How numbers are written, on pages and on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

WRITTEN: Mapping[str, Callable[[Any], str]] = {
    "count": "{:,}".format,
    "share": "{:.1%}".format,
    "cosine": "{:.2f}".format,
    "seconds": "{:,.1f}".format,
    "number": lambda value: f"{value:,.0f}" if value >= 100 else f"{value:.3g}",
    "words": lambda code: code.replace("_", " "),
}
"""By what they are; `cosine` is for all that lies about 1, `words` for codes."""
