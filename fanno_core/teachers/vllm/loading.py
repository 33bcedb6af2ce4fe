"""A checkpoint to vLLM's engine."""

from __future__ import annotations

import os
from typing import Any

from fanno_core.teachers.checkpoint import Checkpoint, one_sentence

# What vLLM reads of its environment. Only what is not set already is set.
ENVIRONMENT = {
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    "VLLM_LOGGING_LEVEL": "ERROR",
    # The engine runs in this process: nothing to orphan when it is killed, no slower, and on 2 cores loaded in 8 s
    # instead of 21.
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
}
CPU_BLOCK = 32
"""Tokens a cache block on a CPU: the smallest that its kernels are fast with. vLLM's own choice there, 128, leaves a
third of a seed prompt out of the prefix cache."""

CPU_CACHE_GIB = "4"


def load_engine(
    checkpoint: Checkpoint, dtype: str, context_tokens: int, tensor_parallel: int, memory_share: float
) -> Any:
    """The `LLMEngine` of vLLM with the model's weights, its prefix cache on.

    Args:
        checkpoint: from `find_checkpoint`.
        dtype: name of a torch precision, or `auto`: that of the checkpoint.
        context_tokens: longest prompt and answer together.
        tensor_parallel: GPUs that share the model.
        memory_share: of a GPU's memory, for weights and cache; on a CPU the environment variable
            `VLLM_CPU_KVCACHE_SPACE` says how many GiB the cache has, or else there are 4.

    Raises:
        RunStops: the weights cannot be loaded, or memory does not hold them and a cache.
    """
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    with one_sentence(checkpoint.source):
        from vllm import EngineArgs, LLMEngine
        from vllm.platforms import current_platform

        on_cpu = current_platform.is_cpu()
        if on_cpu:  # where vLLM would want a share of all memory, used or not
            os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", CPU_CACHE_GIB)
        arguments = EngineArgs(
            model=checkpoint.source,
            revision=checkpoint.commit,
            tokenizer_revision=checkpoint.commit,
            dtype=dtype,
            max_model_len=context_tokens,
            tensor_parallel_size=tensor_parallel,
            gpu_memory_utilization=memory_share,
            enable_prefix_caching=True,
            block_size=CPU_BLOCK if on_cpu else None,
            enforce_eager=on_cpu,  # compiling takes minutes there and gains little
            disable_log_stats=True,
            seed=0,
        )
        return LLMEngine.from_engine_args(arguments)
