"""Batches on several cores, mean states, and a scorer that is used by several threads."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from fanno_core.selection.losses import Ending
from tests.selection.rows import alpaca_rows, tiny_model


@pytest.fixture
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def endings(most: int) -> list[Ending]:
    return [Ending(f"{row.instruction}\n{row.output}", 5, 200) for row in alpaca_rows(most)]


@pytest.mark.usefixtures("two_threads")
@pytest.mark.parametrize("name", ["gpt2_tiny", "llama_tiny"])
def test_each_core_takes_batches_of_its_own(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fanno_core.selection.losses.MOST_TOKENS_OF_A_CORE", 400)
    together = tiny_model(name).losses(endings(40))
    assert torch.get_num_threads() == 2
    torch.set_num_threads(1)
    alone = np.concatenate([tiny_model(name).losses([ending]) for ending in endings(40)])
    np.testing.assert_allclose(together, alone, rtol=1e-5)


@pytest.mark.usefixtures("two_threads")
def test_a_scorer_serves_several_threads() -> None:
    scorer = tiny_model("llama_tiny")
    wanted = scorer.losses(endings(30))
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: scorer.losses(endings(30)), range(4)):
            np.testing.assert_allclose(found, wanted, rtol=1e-5)


@pytest.mark.parametrize("name", ["gpt2_tiny", "llama_tiny"])
def test_states_are_means_over_a_text_of_its_own(name: str) -> None:
    scorer = tiny_model(name)
    texts = [row.instruction for row in alpaca_rows(20)]
    found = scorer.embeddings(texts, 12)
    for text, vector in zip(texts, found, strict=True):
        ids = torch.tensor([scorer.tokenizer.encode(text, truncation=True, max_length=12)])
        with torch.no_grad():
            states = scorer.model(ids, output_hidden_states=True).hidden_states[-1]
        np.testing.assert_allclose(vector, states.mean(dim=1)[0].numpy(), rtol=1e-3, atol=1e-4)


def test_outside_of_scoring_a_model_gives_all_logits() -> None:
    scorer = tiny_model("gpt2_tiny")
    scorer.losses(endings(2))
    with torch.no_grad():
        assert scorer.model(torch.tensor([[1, 2, 3]])).logits.shape[:2] == (1, 3)
