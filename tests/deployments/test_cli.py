from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from deployments.cli.app import COMMANDS, app
from fanno_core.dataset.made import open_made
from fanno_core.settings import load_settings
from tests.conftest import SMALL, Ended, Fanno, record_of, sets
from tests.deployments.words import Here


def every_command() -> Iterator[tuple[str, Any]]:
    """Each command by its words, such as `server start`."""
    group: Any = get_command(app)
    for name in COMMANDS:
        loaded = group.load(name)
        for further, command in getattr(loaded, "commands", {"": loaded}).items():
            yield f"{name} {further}".strip(), command


def examples_of(command: Any) -> list[str]:
    return [line.strip().replace("\\[", "[") for line in (command.epilog or "").splitlines()[1:]]


@pytest.mark.parametrize(("name", "command"), [*every_command()])
def test_every_command_has_a_summary_described_options_and_examples_that_parse(name: str, command: Any) -> None:
    assert command.help.partition("\n")[0].endswith(".")
    assert all(option.help for option in command.params if option.name != "help")
    examples = examples_of(command)
    assert examples
    for example in examples:
        words = shlex.split(example)
        assert words[: 1 + len(name.split())] == ["fanno", *name.split()]
        context = command.make_context(name, words[1 + len(name.split()) :])  # refuses options that there are not
        load_settings(None, context.params.get("assignments") or ())


def test_the_list_of_commands_says_what_each_says_of_itself() -> None:
    group: Any = get_command(app)
    said = {name: group.load(name).help.partition("\n")[0] for name in COMMANDS if name != "server"}
    assert said == {name: command.says for name, command in COMMANDS.items() if name != "server"}


def test_help_lists_every_command_and_shows_examples(here: Here) -> None:
    listed = here("--help")
    assert listed.code == 0
    assert all(f" {name} " in listed.out for name in COMMANDS)
    shown = here("plan", "--help")
    assert "Usage: fanno plan" in shown.out
    assert shown.out.index("Examples:") > shown.out.index("--sample")


def test_help_imports_nothing_heavy(fanno: Fanno) -> None:
    look = "import sys, deployments.cli; sys.argv = ['fanno', '--help']\ntry: deployments.cli.app()\n" \
        "finally: print(*sorted({name.partition('.')[0] for name in sys.modules}))"  # fmt: skip
    ended = in_python(fanno, look)
    assert "Make a data set" in ended.out
    assert not {"prefect", "pyarrow", "numpy", "pydantic", "torch"} & set(ended.out.splitlines()[-1].split())


def in_python(fanno: Fanno, program: str) -> Ended:
    import subprocess

    done = subprocess.run([sys.executable, "-c", program], env=fanno.environment, capture_output=True, text=True)
    return Ended(done.returncode, done.stdout, done.stderr)


def test_the_version_is_printed(here: Here) -> None:
    ended = here("--version")
    assert (ended.code, ended.out.split()[0]) == (0, "fanno")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("rnu", "no such command 'rnu', did you mean 'run'; see `fanno --help`"),
        ("server strt", "no such command 'strt', did you mean 'start', 'status'; see `fanno server --help`"),
        ("run --corpsu x", "no such option: --corpsu, did you mean --corpus or --out; see `fanno run --help`"),
        ("run --corpus x", "missing option '--out'; see `fanno run --help`"),
        ("verify", "missing argument 'OUT'; see `fanno verify --help`"),
        ("verify a b", "got unexpected extra argument(s) (b); see `fanno verify --help`"),
    ],
)
def test_a_wrong_word_is_told_in_one_sentence_with_the_nearest_name(here: Here, words: str, said: str) -> None:
    ended = here(*words.split())
    assert (ended.code, ended.out, ended.err) == (2, "", f"error: {said}\n")


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("fanno ru", "run"),
        ("fanno server st", "start status stop"),
        ("fanno run --corp", "--corpus"),
        ("fanno run --set seeds.doc", "seeds.documents="),
        ("fanno settings tea", "teacher"),
    ],
)
def test_the_shell_completes_commands_options_and_settings(fanno: Fanno, words: str, offered: str) -> None:
    asked = {"_FANNO_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}
    assert fanno(**asked).out.split() == offered.split()


def test_a_run_tells_its_phases_its_funnel_three_rows_and_its_paths(here: Here, finished: Path, corpus: Path) -> None:
    ended = here("run", "--corpus", corpus, "--out", finished, *sets(*SMALL))
    lines = ended.out.splitlines()
    for phase in record_of(finished)["phases"]:
        assert sum(line.startswith(phase["name"]) for line in lines) == 1
        assert sum(line.startswith(f"  {phase['name']} ") for line in lines) == 1
    assert sum(line.startswith("    instruction") for line in lines) == 3
    paths = [line.strip() for line in lines if line.startswith(f"  {finished}")]
    assert len(paths) == 4 + (finished / "report/index.html").exists()
    assert all(Path(path).exists() for path in paths)
    assert "preview, not training data" in ended.out


@pytest.mark.slow
def test_a_run_for_a_script_ends_with_one_line_of_json(here: Here, finished: Path, corpus: Path) -> None:
    ended = here("run", "--json", "--corpus", corpus, "--out", finished, *sets(*SMALL))
    told = json.loads(ended.out)
    record = record_of(finished)
    assert {"rows": told["rows"], "digest": told["digest"]} == record["dataset"]
    assert [phase["name"] for phase in told["funnel"]] == [phase["name"] for phase in record["phases"]]
    assert len(told["sample"]) == 3
    assert all(Path(path).exists() for path in told["paths"].values())
    assert any(line.startswith("publish ") for line in ended.err.splitlines())


def first_id(finished: Path) -> str:
    return open_made(finished).examples()[0].id


# These work on instruction files: tests/flows/test_methods.py has them.
OF_FILES = {"transform", "select"}
# These work on what nights have left, and have tests of their own.
OF_VERSIONS = {"refresh", "versions", "diff", "rollback", "forget"}


def each(finished: Path, corpus: Path) -> dict[str, tuple[str | Path, ...]]:
    """Words with which each command ends well; a worker ends on a signal alone, and test_worker.py has it."""
    return {
        "plan": ("--corpus", corpus, "--sample", "0", *sets(*SMALL)),
        "run": ("--corpus", corpus, "--out", finished, *sets(*SMALL)),
        "report": (finished,),
        "sample": ("--out", finished, "--n", "2"),
        "explain": (first_id(finished), "--out", finished),
        "compare": (finished, finished),
        "export": (finished, "--format", "alpaca", "--to", finished.parent / "alpaca.json", "--force"),
        "verify": (finished,),
        "doctor": ("--quick", "--out", finished),
        "settings": ("seeds",),
        "methods": (),
        "server": ("status",),
    }


def test_every_command_runs_on_a_finished_run(here: Here, finished: Path, corpus: Path) -> None:
    words = each(finished, corpus)
    assert {*words, "worker", *OF_FILES, *OF_VERSIONS} == {*COMMANDS}
    for name in words.keys() - {"run", "plan", "report"}:  # which take seconds, and have tests of their own
        ended = here(name, *words[name])
        assert ended.code == 0, (name, ended.err)
        assert ended.out.strip(), name


@pytest.mark.slow
def test_json_is_one_document_of_every_command_that_has_it(here: Here, finished: Path, corpus: Path) -> None:
    with_json = {name.split()[0] for name, command in every_command() if {"as_json"} & {p.name for p in command.params}}
    assert {"run", "plan", "verify", "doctor", "settings", "methods", "compare"} <= with_json
    for name in with_json - OF_VERSIONS - OF_FILES:
        ended = here(name, *each(finished, corpus)[name], "--json")
        assert json.loads(ended.out), name
