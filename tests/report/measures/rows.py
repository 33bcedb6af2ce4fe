"""Rows for tests that look at a few of their fields."""

from __future__ import annotations

from typing import Any

from fanno_core.store.contracts import Example


def example(name: str, **values: Any) -> Example:
    """A row of this id about which nothing else is known."""
    plain: dict[str, Any] = {
        "id": name, "instruction": "Name a colour.", "input": "", "output": "Red.", "document_id": "d", "source": "s",
        "licence": "", "community": "c", "topic": 0, "iteration": 0, "characteristic": "", "task_type": "",
        "form": "imperative", "counterexamples": (), "instruction_prompt": "p", "response_prompt": "p",
        "response_mode": "direct", "retrieved": (), "teacher": "t", "instruction_sampling": "", "response_sampling": "",
        "instruction_cut_tokens": 0, "response_cut_tokens": 0, "private": -1.0, "unsafe": -1.0, "answerable": -1.0,
        "similarity": -1.0, "output_tokens": 2,
    }  # fmt: skip
    return Example(**plain | values)
