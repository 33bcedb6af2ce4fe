"""IFD as the published codes compute it: one text after the other, each tokenised and scored by itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch

from fanno_core.selection.ifd import Wording
from fanno_core.selection.losses import Scorer
from fanno_core.store.contracts import Pair


def perplexity_ratios(pairs: Sequence[Pair], scorer: Scorer, wording: Wording) -> list[float]:
    """The IFD by perplexity of each pair, with the tokenizer and the model called once for each text."""
    return [_ratio(pair, scorer, wording) for pair in pairs]


def _ratio(pair: Pair, scorer: Scorer, wording: Wording) -> float:
    if not pair.output:
        return math.nan
    prompt = wording.prompt(pair)
    room = wording.most_tokens - len(_encoded(scorer.tokenizer, prompt, wording.most_tokens))
    alone = _perplexity(scorer, wording.alone, pair.output, room + wording.spare)
    given = _perplexity(scorer, prompt, pair.output, wording.most_tokens)
    return given / alone


def _perplexity(scorer: Scorer, before: str, end: str, most_tokens: int) -> float:
    ids = torch.tensor([_encoded(scorer.tokenizer, before + end, most_tokens)])
    labels = ids.clone()
    if before:
        labels[0, : len(scorer.tokenizer.encode(before))] = -100
    with torch.no_grad():
        return float(torch.exp(scorer.model(ids, labels=labels).loss))


def _encoded(tokenizer: Any, text: str, most_tokens: int) -> list[int]:
    ids: list[int] = tokenizer.encode(text, truncation=True, max_length=most_tokens)
    return ids
