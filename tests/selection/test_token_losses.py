"""Losses of single tokens: OpenVINO where it gives what PyTorch gives, and PyTorch otherwise."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, MistralConfig, MistralForCausalLM

from fanno_core.selection import token_losses
from fanno_core.selection.token_losses import Ids
from tests.shared_data import shared

WIDTH = 48


def tiny(name: str) -> Any:
    return AutoModelForCausalLM.from_pretrained(shared(f"tiny_models/{name}")).eval()


def mistral(sliding_window: int | None) -> Any:
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "vocab_size": 200}
    heads = {"num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 16}
    config = MistralConfig(**sizes, **heads, sliding_window=sliding_window, max_position_embeddings=64)
    model = MistralForCausalLM(config).eval()
    with torch.no_grad():
        for weights in model.parameters():
            weights.mul_(8)  # so that what a token attends to shows
    return model


def batch(vocabulary: int) -> tuple[Ids, Ids, Ids]:
    ids = np.random.default_rng(1).integers(vocabulary, size=(3, WIDTH))
    places = np.array([0, 5, WIDTH - 2, WIDTH, 2 * WIDTH + 7])
    return ids, places, ids.reshape(-1)[places + 1]


def by_the_model(model: Any, ids: Ids, places: Ids, wanted: Ids) -> Any:
    with torch.no_grad():
        logits = model(torch.from_numpy(ids)).logits.flatten(0, 1)[torch.from_numpy(places)]
        return torch.nn.functional.cross_entropy(logits, torch.from_numpy(wanted), reduction="none").numpy()


@pytest.mark.parametrize("name", ["gpt2_tiny", "llama_tiny"])
def test_openvino_gives_the_losses_of_the_model(name: str, caplog: pytest.LogCaptureFixture) -> None:
    model, given = tiny(name), batch(2000)
    with caplog.at_level(logging.INFO):
        losses = token_losses.token_losses(model, 2, 1024)
    assert caplog.messages[-1].endswith("on openvino-fp32")
    np.testing.assert_allclose(losses(*given), by_the_model(model, *given), rtol=1e-5)


def test_rows_longer_than_what_openvino_was_tried_on_are_pytorchs(monkeypatch: pytest.MonkeyPatch) -> None:
    model, given = mistral(sliding_window=WIDTH // 2), batch(200)
    monkeypatch.setattr(token_losses, "WIDEST", WIDTH // 2)
    found = token_losses.token_losses(model, 1, 64)(*given)
    np.testing.assert_allclose(found, by_the_model(model, *given), rtol=1e-5)


@pytest.mark.parametrize(("sliding_window", "runtime"), [(None, "openvino-fp32"), (8, "torch-cpu")])
def test_a_model_that_openvino_runs_otherwise_stays_with_pytorch(
    sliding_window: int | None, runtime: str, caplog: pytest.LogCaptureFixture
) -> None:
    model, given = mistral(sliding_window), batch(200)
    with caplog.at_level(logging.INFO):
        found = token_losses.token_losses(model, 1, 64)(*given)
    assert caplog.messages[-1].endswith(f"on {runtime}")
    np.testing.assert_allclose(found, by_the_model(model, *given), rtol=1e-5)


def test_a_model_that_openvino_cannot_run_stays_with_pytorch(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def no_rule(*_: object) -> None:
        raise NotImplementedError("no conversion rule found for operations: aten::new")

    monkeypatch.setattr(token_losses, "traced", no_rule)
    model, given = mistral(None), batch(200)
    with caplog.at_level(logging.INFO):
        found = token_losses.token_losses(model, 1, 64)(*given)
    assert [message.rsplit(" ", 1)[-1] for message in caplog.messages[-2:]] == ["NotImplementedError", "torch-cpu"]
    np.testing.assert_allclose(found, by_the_model(model, *given), rtol=1e-5)
