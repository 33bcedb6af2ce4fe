"""What no source file does: run data as code, start a shell, keep results in a form that runs when it is read."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks import communities, ingest, instructions, publish, responses, screen
from tasks.phase import FinishedSerializer, Step

ROOT = Path(__file__).parents[2]
SOURCES = sorted(
    file for room in ("fanno_core", "tasks", "flows", "deployments", "bench") for file in (ROOT / room).rglob("*.py")
)
MODULES = {"pickle", "cPickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"}
CALLS = {
    "eval", "exec", "compile", "__import__", "os.system", "os.popen", "os.execv", "os.execvp", "os.spawnv",
    "subprocess.getoutput", "subprocess.getstatusoutput", "asyncio.create_subprocess_shell", "yaml.load",
    "yaml.unsafe_load", "yaml.full_load", "tempfile.mktemp",
}  # fmt: skip
ALWAYS_FALSE = {"shell", "trust_remote_code", "allow_pickle"}


def faults(tree: ast.AST) -> Iterator[str]:
    """Whatever of the above a file does, by its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            yield from (f"{node.lineno}: imports {name}" for name in names if name.partition(".")[0] in MODULES)
        elif isinstance(node, ast.Call):
            yield from _faults_of_call(node)


def _faults_of_call(call: ast.Call) -> Iterator[str]:
    name = ast.unparse(call.func)
    arguments = {keyword.arg: keyword.value for keyword in call.keywords}
    if name in CALLS:
        yield f"{call.lineno}: calls {name}"
    if name == "torch.load" and ast.unparse(arguments.get("weights_only", ast.Constant(None))) != "True":
        yield f"{call.lineno}: torch.load without weights_only=True"
    for argument in ALWAYS_FALSE & arguments.keys():
        if ast.unparse(arguments[argument]) != "False":
            yield f"{call.lineno}: {argument} may be true"
    if name.endswith("from_pretrained") and "trust_remote_code" not in arguments:
        yield f"{call.lineno}: from_pretrained does not say trust_remote_code=False"


def test_there_are_sources_to_look_at() -> None:
    assert len(SOURCES) > 100


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_source_runs_data_as_code(file: Path) -> None:
    assert list(faults(ast.parse(file.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from cloudpickle import dumps",
        "eval(text)",
        "exec(text)",
        "import os\nos.system(text)",
        "subprocess.run(text, shell=True)",
        "subprocess.run(text, shell=is_shell)",
        "yaml.load(text)",
        "torch.load(file)",
        "torch.load(file, weights_only=False)",
        "numpy.load(file, allow_pickle=True)",
        "AutoModel.from_pretrained(name, trust_remote_code=True)",
        "AutoModel.from_pretrained(name, trust_remote_code=chosen)",
        "AutoModel.from_pretrained(name)",
    ],
)
def test_the_look_finds_what_it_looks_for(source: str) -> None:
    assert list(faults(ast.parse(source)))


@pytest.mark.parametrize("source", ["model.eval()", "re.compile(text)", "torch.load(file, weights_only=True)"])
def test_the_look_lets_pass_what_only_sounds_like_it(source: str) -> None:
    assert not list(faults(ast.parse(source)))


NETWORK = {"aiohttp", "httpx", "requests", "urllib", "urllib3", "http", "huggingface_hub", "s3fs", "websockets"}
REACHES_OUT = {
    "deployments/server.py": "asks our own Prefect server whether it is up",
    "deployments/pool/servers.py": "asks the servers that the worker started for their health",
    "deployments/doctor/services.py": "asks Prefect and the teacher's servers whether they answer",
    "fanno_core/communities/encoder.py": "loads the encoder that the settings name",
    "fanno_core/export/push.py": "the hub, where --push-to-hub names a repository and a token is found",
    "fanno_core/store/location.py": "the object store of --out",
    "fanno_core/store/objects.py": "the object store of --out",
    "fanno_core/teachers/checkpoint.py": "loads the model that the settings name",
    "fanno_core/teachers/licences.py": "reads the hub's cache on this machine",
    "fanno_core/teachers/openai/dispatch.py": "the declared endpoints",
    "fanno_core/teachers/openai/exchange.py": "the declared endpoints",
    "fanno_core/teachers/openai/opening.py": "the declared endpoints",
    "fanno_core/teachers/openai/teacher.py": "the declared endpoints",
    "fanno_core/teachers/openai/watch.py": "the declared endpoints",
}
NO_CONNECTION = {"http", "urllib.parse", "urllib.error", "http.client"}


def test_only_these_files_can_reach_another_machine() -> None:
    found = {str(file.relative_to(ROOT)) for file in SOURCES if reaches(file)}
    assert {name for name in found if not name.startswith("bench/")} == {*REACHES_OUT}


def reaches(file: Path) -> bool:
    imported = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            imported.add(node.module)
    return any(name.partition(".")[0] in NETWORK for name in imported - NO_CONNECTION)


def test_no_request_follows_a_redirect() -> None:
    calls = [
        call
        for file in SOURCES
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "session.request"
    ]
    assert calls
    for call in calls:
        assert ("allow_redirects", "False") in {(word.arg, ast.unparse(word.value)) for word in call.keywords}


def test_the_result_of_every_task_is_json() -> None:
    steps = [
        value
        for module in (ingest, screen, communities, instructions, responses, publish)
        for value in vars(module).values()
        if isinstance(value, Step)
    ]
    assert len(steps) >= 12
    for step in steps:
        assert isinstance(step.task.result_serializer, FinishedSerializer), step.phase.name
        assert step.task.persist_result is True
