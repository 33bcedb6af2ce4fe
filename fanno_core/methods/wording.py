"""Wording that no instruction of a method may have, since it will be shown to models again."""

from __future__ import annotations

from fanno_core.machine_talk import REFUSAL, leaks_prompt, orders_in


def talk_fault(instruction: str) -> str:
    """Why an instruction must not be shown to a model: refusals, our prompts, orders; empty where nothing is amiss."""
    if REFUSAL.match(instruction):
        return "refusal"
    if leaks_prompt(instruction):
        return "leaks_prompt"
    return "orders" if orders_in(instruction) else ""
