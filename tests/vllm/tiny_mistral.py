"""A Mistral of under a million weights that answers FANNO's prompts, built and trained on the spot.

`python -m tests.vllm.tiny_mistral OUT_DIR`
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fanno_core.documents.ingest import ingest
from fanno_core.documents.sources import find_sources
from fanno_core.settings import Ingest
from fanno_core.teachers.chat import PromptEncoder
from tests.corpus import write_corpus
from tests.vllm.lessons import Lesson, Topics, lessons

if TYPE_CHECKING:
    from torch import Tensor

SEGMENT_CHARS = 800
"""Short segments make short prompts, which a small model learns sooner."""

STEPS = 1200
LONGEST_S = 110
"""Training ends after so many seconds of one core's time on a machine that is too slow for all steps."""

SEED = 7
LEARNING_RATE = 4e-3
WARM_UP = 40
CONTEXT = 2048
VOCABULARY = 3500
CHAT_TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'user' %}[INST] {{ m['content'] }}[/INST]"
    "{% else %}{{ m['content'] }}{{ eos_token }}{% endif %}{% endfor %}"
)
SPECIAL = ["<s>", "</s>", "[INST]", "[/INST]"]


def segments() -> list[str]:
    """The texts of the test corpus' segments, as a run with `ingest.segment_chars` at `SEGMENT_CHARS` reads them."""
    with tempfile.TemporaryDirectory() as folder:
        corpus = write_corpus(Path(folder), 1000)
        kept = ingest(find_sources([str(corpus)]), Ingest(segment_chars=SEGMENT_CHARS)).kept
    return [document.text for document in sorted(kept, key=lambda document: document.id)]


def build_tiny_mistral(folder: Path, steps: int = STEPS) -> Path:
    """`folder`, with weights, tokenizer and chat template; the same from the same seed but for rounding."""
    import torch
    from transformers import GenerationConfig

    documents = segments()
    tokenizer = _tokenizer(documents)
    threads = torch.get_num_threads()
    # So small a model gains little from a second core, and loses much where another process wants it.
    torch.set_num_threads(1)
    with torch.random.fork_rng():
        torch.manual_seed(SEED)
        model = _model(len(tokenizer))
        _train(model, tokenizer, documents, steps)
    torch.set_num_threads(threads)
    model.generation_config = GenerationConfig(bos_token_id=0, eos_token_id=1)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _tokenizer(documents: Sequence[str]) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    pieces = [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(pieces)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    # A topic is easiest to repeat where it is one token.
    topics = [f"of {topic}" for topic in Topics(documents).words()] * 8
    taught = [text for group in lessons(documents, 80, SEED) for one in group for text in (one.prompt, one.answer)]
    tokenizer.train_from_iterator([*documents, *topics, *taught], trainer)
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",  # noqa: S106
        eos_token="</s>",  # noqa: S106
        additional_special_tokens=["[INST]", "[/INST]"],
        chat_template=CHAT_TEMPLATE,
        model_max_length=CONTEXT,
    )


def _model(vocabulary: int) -> Any:
    from transformers import MistralConfig, MistralForCausalLM

    config = MistralConfig(
        vocab_size=vocabulary,
        hidden_size=128,
        intermediate_size=352,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=CONTEXT,
        sliding_window=None,
        tie_word_embeddings=True,
        # About 1 / sqrt(hidden_size). With the usual 0.02, so narrow a model does not learn to repeat a word in time.
        initializer_range=0.08,
        bos_token_id=0,
        eos_token_id=1,
    )
    return MistralForCausalLM(config)


def _train(model: Any, tokenizer: Any, documents: Sequence[str], steps: int) -> None:
    import torch

    encoder = PromptEncoder(tokenizer, "tiny Mistral")
    optimizer = torch.optim.AdamW(model.parameters(), betas=(0.9, 0.95), weight_decay=0.01)
    started = time.process_time()
    for step, group in enumerate(lessons(documents, steps, SEED)):
        done = max(step / steps, (time.process_time() - started) / LONGEST_S)
        if done >= 1:
            break
        for parameters in optimizer.param_groups:
            parameters["lr"] = LEARNING_RATE * min((step + 1) / WARM_UP, 1 - done)
        inputs, targets = packed(group, encoder, tokenizer)
        loss = torch.nn.functional.cross_entropy(model(**inputs, use_cache=False).logits[0], targets)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    print(f"trained {step + 1} of {steps} steps in {time.process_time() - started:.0f} s of processor time")


def packed(group: Sequence[Lesson], encoder: PromptEncoder, tokenizer: Any) -> tuple[dict[str, Tensor], Tensor]:
    """The lessons as one row that holds their common beginning once, and the tokens that it has to predict.

    After the beginning each lesson is a branch, which sees the beginning and itself and counts its positions on from
    there. So six answers about one document cost little more than one.
    """
    import torch

    prompts = encoder.prompts([lesson.prompt for lesson in group])
    answers = [tokenizer(lesson.answer, add_special_tokens=False)["input_ids"] + [1] for lesson in group]
    common = sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, zip(*prompts, strict=False)))
    shared = min(common, min(map(len, prompts)) - 1)
    ids, branches, positions = prompts[0][:shared], [0] * shared, list(range(shared))
    asked, targets = [], []
    for number, (prompt, answer) in enumerate(zip(prompts, answers, strict=True), 1):
        tail = prompt[shared:] + answer[:-1]
        first = len(ids) + len(prompt) - shared - 1  # the prompt's last token predicts the answer's first
        asked += range(first, first + len(answer))
        targets += answer
        ids += tail
        branches += [number] * len(tail)
        positions += range(shared, shared + len(tail))
    branch = torch.tensor(branches)
    seen = torch.ones(len(ids), len(ids), dtype=torch.bool).tril() & ((branch == 0) | (branch == branch[:, None]))
    inputs = {
        "input_ids": torch.tensor([ids]),
        "position_ids": torch.tensor([positions]),
        "attention_mask": torch.zeros(seen.shape).masked_fill(~seen, torch.finfo(torch.float32).min)[None, None],
        "logits_to_keep": torch.tensor(asked),
    }
    return inputs, torch.tensor(targets)


if __name__ == "__main__":
    print(build_tiny_mistral(Path(sys.argv[1])))
