from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fanno_core import settings as fanno_settings
from fanno_core.errors import BadSettings, MissingExtra, RunStops
from fanno_core.teachers.chat import PromptEncoder
from fanno_core.teachers.checkpoint import folder_revision
from fanno_core.teachers.protocol import Request, Sampling, ask
from fanno_core.teachers.table import open_teacher
from fanno_core.teachers.transformers import TransformersTeacher
from fanno_core.teachers.transformers.generation import Draw, Row
from tests.shared_data import shared
from tests.teachers.tiny_model import build_tiny_llama

torch = pytest.importorskip("torch", reason="needs fanno[models]")
transformers = pytest.importorskip("transformers", reason="needs fanno[models]")

REPOSITORY = Path(__file__).parents[2]
MARKUP = ["<s>", "<|im_start|>", "<|im_end|>", "<tool_call>"]


@pytest.fixture(scope="module")
def teacher(tiny_llama: Path) -> TransformersTeacher:
    return TransformersTeacher(str(tiny_llama), batch=4, min_choice_mass=0)


@pytest.fixture(scope="module")
def encoder(tiny_llama: Path) -> PromptEncoder:
    return PromptEncoder(transformers.AutoTokenizer.from_pretrained(tiny_llama), "tiny")


def question(text: str, max_tokens: int = 8, temperature: float = 0.0, seed: int = 0, **rest: Any) -> Request:
    return Request("r", "p", text, Sampling(max_tokens, temperature, 0.9, seed), **rest)


def alone(folder: Path, text: str) -> tuple[Any, Any, Any]:
    """Model, tokenizer and prompt ids as transformers itself makes them: one prompt, no padding."""
    model = transformers.AutoModelForCausalLM.from_pretrained(folder).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    ids = tokenizer.apply_chat_template(
        [{"role": "user", "content": text}], add_generation_prompt=True, return_tensors="pt", return_dict=True
    )["input_ids"]
    return model, tokenizer, ids


async def test_verdicts_are_those_of_an_unpadded_forward_pass(teacher: TransformersTeacher, tiny_llama: Path) -> None:
    texts = ["Is it so?", "Is a river a stream of water? " * 5, "0 or 1", "whales " * 30]
    answers = await ask(teacher, [question(text, 1, choices=("1", "0")) for text in texts])
    for text, answer in zip(texts, answers, strict=True):
        model, tokenizer, ids = alone(tiny_llama, text)
        with torch.no_grad():
            probabilities = model(ids).logits[0, -1].double().softmax(-1)
        vocabulary = tokenizer.get_vocab()
        one, zero = (
            sum(float(probabilities[vocabulary[token]]) for token in (c, f"Ġ{c}") if token in vocabulary) for c in "10"
        )
        assert answer.probability == pytest.approx(one / (one + zero), abs=1e-4)
        assert answer.completion_tokens == 1
        assert answer.prompt_tokens == ids.shape[1]


async def test_a_model_that_would_rather_say_something_else_gives_no_verdict(tiny_llama: Path) -> None:
    strict = TransformersTeacher(str(tiny_llama))
    answer = (await ask(strict, [question("Is it so?", 1, choices=("1", "0"))]))[0]
    assert (answer.text, answer.probability) == ("", None)


def test_what_answers_depend_on_is_part_of_the_identity(tiny_llama: Path) -> None:
    plain = TransformersTeacher(str(tiny_llama)).identity
    assert TransformersTeacher(str(tiny_llama), batch=3).identity == plain
    assert TransformersTeacher(str(tiny_llama), context_tokens=64).identity != plain
    assert TransformersTeacher(str(tiny_llama), dtype="bfloat16").identity != plain


async def test_greedy_answers_are_those_of_step_by_step_argmax(teacher: TransformersTeacher, tiny_llama: Path) -> None:
    texts = ["Tell me about rivers.", "Tell me about whales and how they breathe.", "Why?"]
    answers = await ask(teacher, [question(text, 12) for text in texts])
    for text, answer in zip(texts, answers, strict=True):
        model, tokenizer, ids = alone(tiny_llama, text)
        width = ids.shape[1]
        while ids.shape[1] < width + 12 and (ids.shape[1] == width or ids[0, -1] != tokenizer.eos_token_id):
            with torch.no_grad():
                ids = torch.cat([ids, model(ids).logits[:, -1:].argmax(-1)], dim=1)
        assert answer.text == tokenizer.decode(ids[0, width:], skip_special_tokens=True)
        assert answer.completion_tokens == ids.shape[1] - width


async def test_sampling_is_repeatable_and_follows_the_seed(tiny_llama: Path) -> None:
    requests = [question(f"Tell me about river {n}.", 10 + n, 1.0, seed=n % 2) for n in range(7)]
    one, four = (TransformersTeacher(str(tiny_llama), batch=batch) for batch in (1, 4))
    answers = await ask(four, requests)
    assert answers == await ask(one, requests)
    reseeded = await ask(four, [question(r.text, r.sampling.max_tokens, 1.0, seed=9) for r in requests])
    assert all(old.text != new.text for old, new in zip(answers, reseeded, strict=True))


def test_draws_follow_the_probabilities() -> None:
    rows = [Row([1], 1, Sampling(1, 0.5, 0.9, seed), (), "digest") for seed in range(4000)]
    scores = torch.log(torch.tensor([[0.05, 0.5, 0.25, 0.2]])).repeat(len(rows), 1)
    drawn = Draw(rows, width=1)(torch.zeros(len(rows), 1), scores).argmax(-1)
    shares = torch.bincount(drawn, minlength=4) / len(rows)
    # Temperature 0.5 squares the probabilities; the first and the last are outside 0.9 of the mass.
    squares = torch.tensor([0.0, 0.5**2, 0.25**2, 0.2**2])
    kept = squares / (squares.sum() + 0.05**2)
    expected = kept / kept.sum()
    assert shares[0] == 0
    assert torch.allclose(shares, expected, atol=0.03)


def test_greedy_rows_beside_sampled_ones_keep_their_scores() -> None:
    rows = [Row([1], 3, Sampling(3, temperature), (), "digest") for temperature in (0.0, 1.0)]
    scores = torch.tensor([[0.1, 0.7, 0.2]] * 2)
    left = Draw(rows, width=1)(torch.zeros(2, 1), scores)
    assert torch.equal(left[0], scores[0])
    assert left[1].isinf().sum() == 2


async def test_the_models_own_sampling_defaults_are_ignored(tiny_llama: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_llama, tmp_path / "leaky")
    config = json.loads((folder / "generation_config.json").read_text())
    leaks = {"do_sample": True, "temperature": 5.0, "top_k": 2, "repetition_penalty": 9.0, "min_new_tokens": 30}
    (folder / "generation_config.json").write_text(json.dumps(config | leaks))
    requests = [question("Tell me about rivers.", 20), question("Why?", 20, 1.0)]
    leaky, clean = TransformersTeacher(str(folder)), TransformersTeacher(str(tiny_llama))
    assert await ask(leaky, requests) == await ask(clean, requests)


async def test_an_answer_ends_at_each_of_the_models_end_tokens(tiny_llama: Path, tmp_path: Path) -> None:
    first = (await ask(TransformersTeacher(str(tiny_llama)), [question("Why?", 1)]))[0]
    tokenizer = transformers.AutoTokenizer.from_pretrained(tiny_llama)
    (token,) = tokenizer(first.text, add_special_tokens=False)["input_ids"]
    folder = shutil.copytree(tiny_llama, tmp_path / "ends")
    config = json.loads((folder / "generation_config.json").read_text())
    (folder / "generation_config.json").write_text(json.dumps(config | {"eos_token_id": [2, token]}))
    answer = (await ask(TransformersTeacher(str(folder)), [question("Why?", 20)]))[0]
    assert (answer.text, answer.finish, answer.completion_tokens) == ("", "stop", 1)


async def test_an_answer_takes_no_more_than_the_context_that_is_left(tiny_llama: Path) -> None:
    teacher = TransformersTeacher(str(tiny_llama), context_tokens=40)
    texts = ["w" * n for n in range(1, 32)]
    answers = await ask(teacher, [question(text, 1000, 1.0) for text in texts])
    assert {answer.finish for answer in answers} >= {"length", "context"}
    for answer in answers:
        if answer.finish == "length":
            assert answer.prompt_tokens + answer.completion_tokens == 40


async def test_rows_that_are_done_stay_within_learned_positions() -> None:
    teacher = TransformersTeacher(str(shared("tiny_models/gpt2_tiny")))
    requests = [question("good " * n, 2000, 1.5) for n in (1010, 980)]
    answers = await ask(teacher, requests)
    assert [a.prompt_tokens + a.completion_tokens for a in answers if a.finish == "length"]
    assert answers == [(await ask(teacher, [request]))[0] for request in requests]


async def test_a_model_that_says_nothing_gives_no_verdict(
    teacher: TransformersTeacher, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(_model: Any, rows: list[Row]) -> Any:
        return torch.full((len(rows), 500), torch.nan)

    monkeypatch.setattr("fanno_core.teachers.transformers.teacher.next_scores", silent)
    answer = (await ask(teacher, [question("Is it so?", 1, choices=("1", "0"))]))[0]
    assert (answer.text, answer.probability) == ("", None)


@given(st.lists(st.sampled_from([*MARKUP, "whale", " ", "\n", "<|im_", "end|>", "<", "é", "0"]), max_size=12))
@settings(deadline=None, max_examples=150)
def test_no_text_adds_special_tokens(encoder: PromptEncoder, parts: list[str]) -> None:
    text = "".join(parts)
    tokenizer = encoder._tokenizer
    ids = encoder.prompts([text])[0]
    assert [i for i in ids if tokenizer.convert_ids_to_tokens(i) in MARKUP] == tokenizer.convert_tokens_to_ids(
        ["<|im_start|>", "<|im_end|>", "<|im_start|>"]
    )
    assert tokenizer.decode(ids) == f"<|im_start|>user\n{text}<|im_end|>\n<|im_start|>assistant\n"


def test_texts_without_markup_are_read_as_transformers_does(encoder: PromptEncoder, tiny_llama: Path) -> None:
    texts = ["Tell me about rivers.", "  spaces\n\n", "ünï"]
    assert encoder.prompts(texts) == [alone(tiny_llama, text)[2][0].tolist() for text in texts]


def test_without_a_chat_template_the_text_itself_is_the_prompt(tmp_path: Path) -> None:
    build_tiny_llama(tmp_path / "plain", chat=False)
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "plain")
    first, marked = PromptEncoder(tokenizer, "plain").prompts(["a river", "<s>"])
    assert first == tokenizer("a river")["input_ids"]
    assert marked[0] == tokenizer.bos_token_id
    assert marked.count(tokenizer.bos_token_id) == 1


@pytest.mark.parametrize(
    "template",
    ["{{ raise_exception('system first') }}", "no message", "{{ messages[0].content }}{{ messages[0].content }}"],
)
def test_a_chat_template_that_cannot_be_used_stops_the_run(tiny_llama: Path, template: str) -> None:
    tokenizer = transformers.AutoTokenizer.from_pretrained(tiny_llama)
    tokenizer.chat_template = template
    with pytest.raises(RunStops, match="chat template"):
        PromptEncoder(tokenizer, "tiny")


def test_a_chat_template_never_sees_todays_date(tiny_llama: Path) -> None:
    tokenizer = transformers.AutoTokenizer.from_pretrained(tiny_llama)
    tokenizer.chat_template = "\n{{ strftime_now('%Y-%m-%d') }} {{ date_string }} {{ messages[0].content }}"
    encoder = PromptEncoder(tokenizer, "tiny")
    assert tokenizer.decode(encoder.prompts(["hello"])[0]) == "\n2024-07-26 26 Jul 2024 hello"


def test_choices_take_in_the_variant_with_a_space(encoder: PromptEncoder) -> None:
    one, zero = encoder.choice_ids(("1", "0"))
    tokens = encoder._tokenizer.convert_ids_to_tokens(zero)
    assert sorted(tokens) == ["0", "Ġ0"]
    assert not set(one) & set(zero)


def test_choices_that_begin_alike_are_refused(encoder: PromptEncoder) -> None:
    with pytest.raises(RunStops, match="choices"):
        encoder.choice_ids(("zzzzza", "zzzzzb"))


def test_a_folders_revision_is_its_contents(tiny_llama: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(tiny_llama, tmp_path / "elsewhere")
    assert folder_revision(copy) == folder_revision(tiny_llama)
    (copy / "README.md").write_text("not read by the model")
    assert folder_revision(copy) == folder_revision(tiny_llama)
    weights = copy / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\1")
    assert folder_revision(copy) != folder_revision(tiny_llama)
    assert len(folder_revision(copy)) == 12


def test_a_hub_models_revision_is_its_commit(tiny_llama: Path, tmp_path: Path) -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    cached = tmp_path / "hub" / "models--acme--tiny"
    shutil.copytree(tiny_llama, cached / "snapshots" / commit)
    (cached / "refs").mkdir()
    (cached / "refs" / "main").write_text(commit)
    program = "from fanno_core.teachers.transformers import TransformersTeacher as T; print(T('acme/tiny').identity)"
    # In a process of its own, since the hub's client reads its environment when it is imported.
    environment = os.environ | {"HF_HOME": str(tmp_path), "HF_HUB_CACHE": str(tmp_path / "hub"), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(f"transformers/acme/tiny@{commit}#")


def test_a_model_that_is_not_there_stops_the_run(tmp_path: Path) -> None:
    with pytest.raises(RunStops, match=r"teacher\.model"):
        TransformersTeacher(str(tmp_path / "absent"))
    with pytest.raises(RunStops, match=r"teacher\.model"):
        TransformersTeacher(str(tmp_path))


async def test_weights_that_are_damaged_stop_the_run(tiny_llama: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_llama, tmp_path / "damaged")
    (folder / "model.safetensors").write_bytes(b"\0" * 100)
    with pytest.raises(RunStops, match=r"teacher\.model"):
        await ask(TransformersTeacher(str(folder)), [question("Why?")])


def test_a_missing_package_names_the_extra(tiny_llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtra, match=r"pip install -e '\.\[models\]' in FANNO's clone$"):
        TransformersTeacher(str(tiny_llama))


def test_the_table_wants_a_model() -> None:
    with pytest.raises(BadSettings, match=r"teacher\.model"):
        open_teacher(fanno_settings.Teacher(name="transformers"))


def test_threads_open_a_model_once(tiny_llama: Path) -> None:
    chosen = fanno_settings.Teacher(name="transformers", model=str(tiny_llama), batch=3)
    with ThreadPoolExecutor(8) as pool:
        opened = list(pool.map(open_teacher, [chosen] * 8))
    assert all(teacher is opened[0] for teacher in opened)
