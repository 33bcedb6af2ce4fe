"""A checkpoint's weights, ready to answer."""

from __future__ import annotations

from typing import Any

from fanno_core.teachers.checkpoint import Checkpoint, one_sentence


def load_weights(checkpoint: Checkpoint, dtype: str) -> Any:
    """The model, ready to answer, on CUDA where torch sees a device and on the CPU otherwise.

    Args:
        checkpoint: from `find_checkpoint`.
        dtype: name of a torch precision, or `auto`: that of the checkpoint.

    Raises:
        RunStops: the weights cannot be loaded.
    """
    import torch
    from transformers import AutoModelForCausalLM, GenerationConfig
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    with one_sentence(checkpoint.source):
        # Safetensors are taken where there are both kinds, which is transformers' own preference.
        model = AutoModelForCausalLM.from_pretrained(
            checkpoint.source, revision=checkpoint.commit, dtype=dtype, trust_remote_code=False
        )
        model = model.to("cuda" if torch.cuda.is_available() else "cpu").eval()
    # `generate` takes whatever it is not told from here: only the tokens that end an answer are the model's to say.
    ends = sorted(end_tokens(checkpoint.tokenizer, model.generation_config))
    model.generation_config = GenerationConfig(eos_token_id=ends or None, pad_token_id=ends[0] if ends else 0)
    return model


def end_tokens(tokenizer: Any, generation_config: Any) -> set[int]:
    """Ids of every token that ends an answer: chat models have several."""
    named = generation_config.eos_token_id
    listed = named if isinstance(named, list) else [named]
    return {token for token in [*listed, tokenizer.eos_token_id] if token is not None}
