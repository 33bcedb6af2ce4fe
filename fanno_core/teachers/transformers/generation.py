"""Batches of prompts to the tokens of their answers, or to the scores of their next token.

What comes back for a row depends on that row alone, but for the rounding of batched arithmetic: rows are padded on
the left, each stops at its own limit, and each is sampled with its own random numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fanno_core.teachers.draw import request_seed
from fanno_core.teachers.protocol import Sampling

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class Row:
    """One prompt of a batch, what was cut from it, the most tokens of its answer, and how they are drawn or chosen.

    `ends` are tokens that end it, besides those of the model.
    """

    ids: list[int]
    limit: int
    sampling: Sampling
    choices: tuple[str, ...]
    text_digest: str
    cut_tokens: int = 0
    ends: frozenset[int] = frozenset()

    @property
    def seed(self) -> int:
        """Seed of this row's random numbers, in [0, 2**63)."""
        return request_seed(self.sampling.seed, self.text_digest)


def generate(model: Any, rows: Sequence[Row]) -> list[list[int]]:
    """The answer's token ids of each row, with the token that ended it where there was one."""
    from transformers import LogitsProcessorList, StoppingCriteriaList

    batch = _padded(model, rows)
    width = batch["input_ids"].shape[1]
    limits = [row.limit for row in rows]
    sampled = any(row.sampling.temperature > 0 for row in rows)
    written = model.generate(
        **batch,
        max_new_tokens=max(limits),
        do_sample=False,
        logits_processor=LogitsProcessorList([Draw(rows, width)] if sampled else []),
        stopping_criteria=StoppingCriteriaList([OwnLimit(rows, width)]),
    )
    ends = set(model.generation_config.eos_token_id or [])
    tokens = written[:, width:].tolist()
    return [_until_end(ids[: row.limit], ends | row.ends) for ids, row in zip(tokens, rows, strict=True)]


def next_scores(model: Any, rows: Sequence[Row]) -> Tensor:
    """Natural log-probabilities of the token after each prompt, `[rows, vocabulary]`, float64 on the CPU."""
    answered = model.generate(
        **_padded(model, rows),
        max_new_tokens=1,
        do_sample=False,
        return_dict_in_generate=True,
        output_logits=True,
    )
    scores: Tensor = answered.logits[0].cpu().double().log_softmax(dim=-1)
    return scores


def keep_positions_below(model: Any, positions: int) -> None:
    """Lets rows that are done run on beside longer answers: their position stays at the model's last.

    Without it, a model that learned a vector for each position (GPT-2) looks up one that it does not have.
    """

    def clamp(_module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        if kwargs.get("position_ids") is not None:
            kwargs["position_ids"] = kwargs["position_ids"].clamp(max=positions - 1)
        return args, kwargs

    model.register_forward_pre_hook(clamp, with_kwargs=True)


class OwnLimit:
    """Stops each row at its own limit or end (a stopping criterion of `generate`)."""

    def __init__(self, rows: Sequence[Row], width: int) -> None:
        self._rows = rows
        self._width = width

    def __call__(self, input_ids: Tensor, _scores: Any) -> Tensor:
        """`[rows]`, true where the row has as many tokens as it may, or has just ended."""
        import torch

        written = input_ids.shape[1] - self._width
        last = input_ids[:, -1].tolist() if any(row.ends for row in self._rows) else [-1] * len(self._rows)
        done = [written >= row.limit or id_ in row.ends for row, id_ in zip(self._rows, last, strict=True)]
        return torch.tensor(done, device=input_ids.device)


class Draw:
    """Leaves one token of each row with temperature and top-p (a logits processor of `generate`).

    A row's random numbers are drawn beforehand from its own seed, one a token, and pick from the row's cumulative
    probabilities. So a row is sampled alike in whatever batch it stands, and `generate` itself stays greedy.
    """

    def __init__(self, rows: Sequence[Row], width: int) -> None:
        import torch

        self._width = width
        self._temperature = torch.tensor([[row.sampling.temperature] for row in rows])
        self._top_p = torch.tensor([[row.sampling.top_p] for row in rows])
        self._numbers = torch.zeros(len(rows), max(row.limit for row in rows))
        for place, row in enumerate(rows):
            # Drawn one row at a time: torch may fill a longer tensor with other numbers from the same seed.
            generator = torch.Generator().manual_seed(row.seed)
            self._numbers[place, : row.limit] = torch.rand(row.limit, generator=generator)

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """`[rows, vocabulary]`: 0 for the token drawn and minus infinity elsewhere; greedy rows as they came."""
        import torch

        step = input_ids.shape[1] - self._width
        number = self._numbers[:, step : step + 1].to(scores.device)
        temperature = self._temperature.to(scores.device)
        warm = torch.where(temperature > 0, temperature, 1.0)
        likely, order = torch.sort(torch.softmax(scores / warm, dim=-1), dim=-1, descending=True, stable=True)
        kept = likely.cumsum(dim=-1) - likely < self._top_p.to(scores.device)
        cumulative = (likely * kept).cumsum(dim=-1)
        place = torch.searchsorted(cumulative, number * cumulative[:, -1:], right=True)
        drawn = order.gather(-1, place.minimum(kept.sum(dim=-1, keepdim=True) - 1))
        only = torch.full_like(scores, -torch.inf).scatter(-1, drawn, 0.0)
        return torch.where(temperature > 0, only, scores)


def _padded(model: Any, rows: Sequence[Row]) -> dict[str, Tensor]:
    import torch

    width = max(len(row.ids) for row in rows)
    pad = model.generation_config.pad_token_id
    ids = [[pad] * (width - len(row.ids)) + row.ids for row in rows]
    mask = [[0] * (width - len(row.ids)) + [1] * len(row.ids) for row in rows]
    return {
        "input_ids": torch.tensor(ids, device=model.device),
        "attention_mask": torch.tensor(mask, device=model.device),
    }


def _until_end(tokens: list[int], ends: set[int]) -> list[int]:
    end = next((n for n, token in enumerate(tokens) if token in ends), len(tokens))
    return tokens[: end + 1]
