"""A causal language model that is small enough to be made on the spot: random weights, a trained tokenizer."""

from __future__ import annotations

from pathlib import Path

CHAT_TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SPECIAL = ["<s>", "<|im_start|>", "<|im_end|>"]
SAMPLE = [
    "A river is a natural stream of water. It flows towards the sea, a lake or another river, 0 or 1 at a time.",
    "Write one instruction that somebody could give to a helpful assistant, inspired by the document.",
    "Whales breathe air, and so they come to the surface; some dive for more than an hour, to 2,000 metres.",
]


def build_tiny_llama(folder: Path, *, chat: bool = True, context: int = 1024, heads: int = 4) -> Path:
    """`folder`, with a Llama of 2 layers and 64 dimensions and a byte-level BPE tokenizer of about 500 tokens."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=500,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(SAMPLE * 4, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    wrapped = PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="<|im_end|>")  # noqa: S106
    wrapped.add_tokens(["<tool_call>"])  # markup that is an added token without being a special one
    if chat:
        wrapped.chat_template = CHAT_TEMPLATE + "{# <tool_call> #}"
    wrapped.save_pretrained(folder)
    with torch.random.fork_rng():
        torch.manual_seed(7)
        config = LlamaConfig(
            vocab_size=len(wrapped),
            hidden_size=64,
            intermediate_size=128,
            num_hidden_layers=2,
            num_attention_heads=heads,
            max_position_embeddings=context,
            bos_token_id=0,
            eos_token_id=2,
            # Wide enough that logits differ by far more than rounding does.
            initializer_range=0.3,
        )
        LlamaForCausalLM(config).save_pretrained(folder)
    return folder
