"""All 26 rules, by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from fanno_core.methods.rules import case, counts, punctuation, repetition, wrapping
from fanno_core.methods.rules.rule import Rule

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        rule.name: rule
        for rules in (counts.RULES, repetition.RULES, case.RULES, punctuation.RULES, wrapping.RULES)
        for rule in rules
    }
)
