"""FANNO within a budget of questions: how many seeds it may begin with, and when there is no room for a window."""

from __future__ import annotations

from fanno_core.errors import BadSettings
from fanno_core.instructions.drafts import VERDICT_PROMPTS
from fanno_core.settings import Settings

SEEDS_SHARE = 2
"""Half of a budget goes to seeds, their verdicts and responses; the rest to augmentation."""
WINDOWS = 4
"""Windows that the rest should have room for: the fewer, the more of it nobody can use."""


def questions_an_instruction(settings: Settings) -> int:
    """The most questions that a draft leads to, its response among them."""
    judged = len(VERDICT_PROMPTS) if settings.filters.judge else 0
    rated = settings.augment.bandit != "default" and settings.augment.selection == "ucb"
    return 2 + judged + rated


def within_budget(settings: Settings) -> Settings:
    """The settings with as few seeds, and as small windows, as `method.budget` asks for.

    Raises:
        BadSettings: the budget has no room for a single seed.
    """
    budget, each = settings.method.budget, questions_an_instruction(settings)
    if not budget:
        return settings
    drafts = budget // SEEDS_SHARE // each
    if not drafts:
        raise BadSettings(
            f"method.budget={budget}: FANNO's seeds alone may take {each}; set {SEEDS_SHARE * each} or more"
        )
    per_document = min(settings.seeds.per_document, drafts)
    documents = min(settings.seeds.documents, max(1, drafts // per_document))
    window = min(settings.augment.window, max(1, budget // SEEDS_SHARE // WINDOWS // each))
    seeds = settings.seeds.model_copy(update={"per_document": per_document, "documents": documents})
    return settings.model_copy(
        update={"seeds": seeds, "augment": settings.augment.model_copy(update={"window": window})}
    )


def has_room(settings: Settings, asked: int, unanswered: int, drafts: int) -> bool:
    """Whether the budget has room for so many more drafts.

    Args:
        settings: all settings.
        asked: questions put so far, screening apart.
        unanswered: instructions that still wait for their response.
        drafts: of the next window.
    """
    budget = settings.method.budget
    return not budget or asked + unanswered + drafts * questions_an_instruction(settings) <= budget
