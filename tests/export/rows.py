"""Rows to export, and a run that holds them."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from fanno_core.store.contracts import Example
from tests.dataset.test_formats import example


def row(number: int, community: str = "", **changed: object) -> Example:
    """A row whose texts and community differ from those of the others."""
    texts = {"instruction": f"Explain bee {number}.", "output": f"It dances {number} times."}
    return example(f"{number:016x}", **{"community": community or f"c{number}", **texts, **changed})


def in_communities(sizes: Sequence[int]) -> list[Example]:
    """Rows in communities of these sizes."""
    groups = [f"c{group}" for group, size in enumerate(sizes) for _ in range(size)]
    return [row(number, community) for number, community in enumerate(groups)]


SIZES = st.lists(st.integers(1, 9), min_size=1, max_size=40)
