"""The code blocks of the tutorial and the how-tos do what the pages say."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.conftest import SMALL, Fanno
from tests.docs.blocks import ROOT, UNRUN, blocks_of, command_line, matches, run_page
from tests.shared_data import shared

DOCS = ROOT / "docs"
TUTORIAL = DOCS / "tutorial.md"
HOW_TOS = sorted([*(DOCS / "how-to").glob("*.md"), *(DOCS / "methods").glob("*.md")])
NOT_RUN = [
    ("alpaca.md", "needs your file of tasks"),
    ("cluster.md", "needs a Dask cluster and an S3 bucket"),
    ("magpie.md", "needs a chat model"),
    ("nightly.md", "changes your crontab"),
    ("nightly.md", "needs a GPU and the model's weights"),
    ("own-model.md", "needs a model server on port 8000"),
    ("own-model.md", "needs a GPU and the model's weights"),
    ("own-model.md", "needs a model server on port 8000"),
    ("select-humpback.md", "needs a model server on port 8000"),
    ("select-ifd.md", "needs a model"),
    ("select-judge.md", "needs a model server on port 8000"),
    ("select-superfilter.md", "needs the weights of GPT-2"),
    ("selective-reflect.md", "needs your rows and a model"),
    ("self-instruct.md", "needs your file of tasks"),
    ("tutorial.md", "needs pdftotext and your PDFs"),
    ("tutorial.md", "needs a GPU and the model's weights (15 GB)"),
]
"""Every block that is not run: a page that leaves out another one has to say so here too."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a page is tried: an empty folder, with the clone's files that pages name."""
    folder = tmp_path / "page"
    folder.mkdir()
    (folder / "deployments").symlink_to(ROOT / "deployments")
    return folder


@pytest.fixture
def environment(fanno: Fanno, tmp_path: Path) -> dict[str, str]:
    """A reader's environment: `fanno` and this environment's commands on the PATH, and the hub out of reach."""
    path = [str(command_line(tmp_path / "bin")), str(Path(sys.executable).parent), os.environ["PATH"]]
    return fanno.environment | {"PATH": os.pathsep.join(path), "PYTHONPATH": str(ROOT)}


@pytest.mark.parametrize("page", [TUTORIAL, *HOW_TOS], ids=lambda page: page.stem)
def test_every_block_is_run_or_says_why_not(page: Path) -> None:
    blocks = blocks_of(page)
    assert [block.place for block in blocks if block.language not in {"bash", "python", "toml", "text"}] == []
    assert [block.place for block in blocks if block.language in {"python", "toml"} and not block.title] == []
    assert [(page.name, block.unrun) for block in blocks if block.unrun] == [
        one for one in NOT_RUN if one[0] == page.name
    ]
    assert UNRUN not in "".join(block.text for block in blocks if not block.unrun)


def test_a_page_that_lies_about_output_fails() -> None:
    assert matches("a\nb\nc\n", "a\n...\nc")
    assert not matches("a\nb\n", "a\nc")
    assert not matches("a\nb\n", "a")


@pytest.mark.slow
def test_the_tutorial_ends_with_an_adapter_that_answers(folder: Path, environment: dict[str, str]) -> None:
    run_page(TUTORIAL, folder, environment | {"MODEL": str(shared("tiny_models/llama_tiny"))})
    assert (folder / "adapter" / "adapter_config.json").exists()


@pytest.mark.slow
@pytest.mark.parametrize("page", HOW_TOS, ids=lambda page: page.stem)
def test_a_how_to_works_on_a_finished_run(
    page: Path, folder: Path, environment: dict[str, str], corpus: Path, finished: Path
) -> None:
    (folder / "documents").mkdir()
    shutil.copy(corpus, folder / "documents")
    shutil.copytree(finished, folder / "data")
    (folder / "settings.toml").write_text("".join(f"{setting}\n" for setting in SMALL), encoding="utf-8")
    run_page(page, folder, environment)
