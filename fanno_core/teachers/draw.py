"""The random numbers of one answer, whatever stands beside it in a batch."""

from __future__ import annotations

import hashlib


def request_seed(seed: int, text_digest: str) -> int:
    """Seed of a request's random numbers, in [0, 2**63), from the run's seed and the digest of the request's text."""
    digest = hashlib.sha256(f"{seed}\0{text_digest}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
