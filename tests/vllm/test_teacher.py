"""vLLM's engine behind the teacher, with a model that was trained a minute ago."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from fanno_core import settings
from fanno_core.errors import RunStops
from fanno_core.instructions.tags import tag_pool
from fanno_core.teachers.protocol import Answer, Request, Sampling, Teacher, ask
from fanno_core.teachers.rendered import rendered_request
from fanno_core.teachers.transformers import TransformersTeacher
from fanno_core.teachers.vllm import VllmTeacher
from tests.vllm.tiny_mistral import segments

pytest.importorskip("vllm", reason="needs vLLM: make test-vllm")

REPOSITORY = Path(__file__).parents[2]


def seeds(documents: list[str], max_tokens: int = 48) -> list[Request]:
    return [
        rendered_request(
            f"d{n}", "seed_instruction", {"document": text, **tags.values()}, Sampling(max_tokens), f"d{n}"
        )
        for n, text in enumerate(documents)
        for tags in tag_pool()
    ]


def verdicts(documents: list[str]) -> list[Request]:
    return [
        rendered_request("d", "document_quality", {"document": text}, Sampling(1), "d", ("1", "0"))
        for text in documents
    ]


async def test_seed_prompts_come_from_the_prefix_cache(teacher: Teacher) -> None:
    answers = await ask(teacher, seeds(segments()[:8]))
    cached = sum(answer.cached_tokens for answer in answers) / sum(answer.prompt_tokens for answer in answers)
    assert cached >= 0.85, f"{cached:.1%}"


async def test_answers_are_those_of_transformers(teacher: Teacher, chosen: settings.Teacher) -> None:
    other = TransformersTeacher(chosen.model, dtype="float32", min_choice_mass=0.5)
    requests = seeds(segments()[20:21])[::16] + verdicts(segments()[:4])
    ours, theirs = await ask(teacher, requests), await ask(other, requests)
    assert [(a.text, a.finish, a.prompt_tokens, a.completion_tokens) for a in ours] == [
        (a.text, a.finish, a.prompt_tokens, a.completion_tokens) for a in theirs
    ]
    assert [a.probability for a in ours] == pytest.approx([a.probability for a in theirs], abs=1e-4)


async def test_a_long_document_is_cut_and_marked(teacher: Teacher) -> None:
    long = " ".join(segments()[:60])
    cut, whole = await ask(teacher, [*seeds([long])[:1], *seeds(segments()[:1])[:1]])
    assert cut.cut_tokens > 1000
    assert cut.prompt_tokens + 48 <= 2048
    assert cut.finish != "context"
    assert whole.cut_tokens == 0


async def test_a_prompt_of_no_documents_that_does_not_fit_is_not_asked(teacher: Teacher) -> None:
    long = Request("r", "p", "whale " * 3000, Sampling(8))
    answer, short = await ask(teacher, [long, replace(long, text="a whale")])
    assert (answer.text, answer.finish, answer.completion_tokens) == ("", "context", 0)
    assert short.finish != "context"


async def test_a_model_that_would_rather_say_something_else_gives_no_verdict(teacher: Teacher) -> None:
    odd = rendered_request(
        "d", "seed_instruction", {"document": "Whales sing.", **tag_pool()[0].values()}, Sampling(1), ""
    )
    (answer,) = await ask(teacher, [replace(odd, choices=("1", "0"))])
    assert (answer.text, answer.probability) == ("", None)


async def test_sampling_is_repeatable_and_follows_the_seed(teacher: Teacher) -> None:
    def drawn(seed: int) -> list[Request]:
        return [replace(one, sampling=Sampling(24, 1.5, 0.95, seed)) for one in seeds(segments()[:1])[:12]]

    once, again, other = [await ask(teacher, drawn(seed)) for seed in (1, 1, 2)]
    assert [answer.text for answer in once] == [answer.text for answer in again]
    assert [answer.text for answer in once] != [answer.text for answer in other]


def test_threads_share_the_engine(teacher: Teacher) -> None:
    parts = [seeds(segments()[n : n + 1]) for n in range(4)]

    def answered(requests: list[Request]) -> list[Answer]:
        return asyncio.run(ask(teacher, requests))

    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(answered, parts))
    apart = [answered(part) for part in parts]
    assert [[a.text for a in answers] for answers in together] == [[a.text for a in answers] for answers in apart]


async def test_answers_come_before_the_last_is_done(teacher: Teacher) -> None:
    requests = [*seeds(segments()[:1], max_tokens=2), *seeds(segments()[1:2], max_tokens=60)]
    places = [place async for place, _ in teacher.answers(requests)]
    assert sorted(places) == list(range(len(requests)))
    assert max(places.index(place) for place in range(96)) < 150


async def test_a_caller_that_leaves_frees_the_engine(teacher: Teacher) -> None:
    async with aclosing(teacher.answers(seeds(segments()[:4], max_tokens=500))) as answers:  # type: ignore[type-var]
        await anext(answers)
    assert len(await asyncio.wait_for(ask(teacher, verdicts(segments()[:3])), 30)) == 3


async def test_weights_that_cannot_be_read_stop_the_run(tiny_mistral: Path, tmp_path: Path) -> None:
    for file in tiny_mistral.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "model.safetensors").write_bytes(b"\0" * 100)
    broken = VllmTeacher(str(tmp_path), dtype="float32")
    for _ in range(2):  # the second caller is told as well
        with pytest.raises(RunStops, match=r"teacher\.model"):
            await ask(broken, verdicts(["Whales sing."]))
    broken.close()
    with pytest.raises(RunStops, match="closed"):
        await ask(broken, verdicts(["Whales sing."]))


def test_a_process_that_asked_ends_by_itself(tiny_mistral: Path) -> None:
    program = (
        "import asyncio, sys\n"
        "from fanno_core.teachers.protocol import Request, Sampling, ask\n"
        "from fanno_core.teachers.vllm import VllmTeacher\n"
        "if __name__ == '__main__':\n"
        "    teacher = VllmTeacher(sys.argv[1])\n"
        "    print(asyncio.run(ask(teacher, [Request('r', 'p', 'a whale', Sampling(4))]))[0].finish)\n"
    )
    command = [sys.executable, "-c", program, str(tiny_mistral)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip() in {"stop", "length"}
