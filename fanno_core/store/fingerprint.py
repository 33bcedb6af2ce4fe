"""The name of a piece of work: a digest of everything that can change its bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def canonical(value: Any) -> str:
    """One JSON text for equal values: sorted keys, no spaces, no NaN.

    Raises:
        TypeError, ValueError: the value has no canonical form.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def fingerprint(phase: str, version: int, parts: Mapping[str, Any]) -> str:
    """24 hex digits over the phase, its version and its parts (settings, prompts, teacher, input digests)."""
    return hashlib.sha256(canonical({"phase": phase, "version": version, **parts}).encode()).hexdigest()[:24]
