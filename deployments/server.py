"""The Prefect server that a run reports to: the one that is configured, or one of our own on loopback.

Our own server has its database, log and results in a state folder and is kept for the next run. Prefect's
embedded API is no choice: it records a twentieth of the task runs of a large flow.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from platformdirs import user_state_path

from fanno_core.errors import RunStops
from fanno_core.store.durable import write_durably

FIRST_PORT = 4200
START_LIMIT_S = 90.0
STOP_LIMIT_S = 15.0
PATIENCE_S = 20.0
# Nothing that we start calls home.
QUIET = {"DO_NOT_TRACK": "1", "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}


def quieten_prefect() -> None:
    """Keeps Prefect in this process from reporting home; it reads this when it is imported."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)


@dataclass(frozen=True)
class Server:
    """A server of our own: where it answers, which process it is, which Prefect it runs."""

    url: str
    pid: int
    prefect: str

    @property
    def ui(self) -> str:
        """Where a person opens it."""
        return self.url.removesuffix("/api")


def state_folder() -> Path:
    """Where the server's state lies: `$FANNO_STATE`, or the user's state folder."""
    return Path(os.environ.get("FANNO_STATE") or user_state_path("fanno"))


def running_server() -> Server | None:
    """Our server, if it is up and of the installed Prefect's version."""
    try:
        server = Server(**json.loads((state_folder() / "server.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    # Once ours is dead, its port may be another's, who answers, too.
    if server.prefect != version("prefect") or not _is_prefect(server.pid):
        return None
    # A server may be slow to answer while runs keep the machine busy; only a dead one is given up.
    end = time.monotonic() + PATIENCE_S
    while not _answers(server.url):
        if not _is_prefect(server.pid) or time.monotonic() > end:
            return None
        time.sleep(0.2)
    return server


def ensure_server() -> Server:
    """Our server, started if need be.

    Raises:
        RunStops: it does not come up; the message names its log.
    """
    folder = state_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "server.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        server = running_server()
        if server:
            return server
        stop_server()
        return _start(folder)


def stop_server() -> bool:
    """Ends our server; False where none was running."""
    record = state_folder() / "server.json"
    try:
        pid = int(json.loads(record.read_text(encoding="utf-8"))["pid"])
    except (OSError, ValueError, KeyError):
        return False
    record.unlink()
    if not _is_prefect(pid):
        return False
    os.killpg(pid, signal.SIGTERM)
    end = time.monotonic() + STOP_LIMIT_S
    while _is_prefect(pid):
        if time.monotonic() > end:
            os.killpg(pid, signal.SIGKILL)
        time.sleep(0.1)
    return True


@contextmanager
def prefect_api() -> Iterator[tuple[str, bool]]:
    """Settings under which flows report to the configured server, or else to our own.

    Yields the address of its UI, and whether the server is ours.

    Raises:
        RunStops: the configured server does not answer, or ours does not come up.
    """
    from prefect.client.orchestration import get_client
    from prefect.settings import (
        PREFECT_API_URL,
        PREFECT_LOCAL_STORAGE_PATH,
        PREFECT_SERVER_ANALYTICS_ENABLED,
        temporary_settings,
    )

    configured = PREFECT_API_URL.value()
    if configured:
        with get_client(sync_client=True) as client:
            if client.api_healthcheck() is not None:
                raise RunStops(f"the configured Prefect server {configured} does not answer; start it, or unset it")
        yield configured.removesuffix("/api"), False
        return
    server = ensure_server()
    ours = {
        PREFECT_API_URL: server.url,
        PREFECT_LOCAL_STORAGE_PATH: state_folder() / "results",
        PREFECT_SERVER_ANALYTICS_ENABLED: False,
    }
    with temporary_settings(updates=ours):
        yield server.ui, True


def _start(folder: Path) -> Server:
    with _claimed_port() as (port, claim):
        return _start_on(port, claim, folder)


def _start_on(port: int, claim: int, folder: Path) -> Server:
    url = f"http://127.0.0.1:{port}/api"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")},
        **QUIET,
        "PREFECT_HOME": str(folder / "prefect"),
        "PREFECT_API_URL": url,
        "PREFECT_UI_API_URL": url,
    }
    with (folder / "server.log").open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter
            [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)],
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            pass_fds=[claim],
        )
    server = Server(url, process.pid, version("prefect"))
    write_durably(folder / "server.json", json.dumps(asdict(server)).encode())
    end = time.monotonic() + START_LIMIT_S
    while not _answers(url):
        if process.poll() is not None or time.monotonic() > end:
            stop_server()
            raise RunStops(f"the Prefect server did not come up; its log is {folder / 'server.log'}")
        time.sleep(0.2)
    return server


@contextmanager
def _claimed_port() -> Iterator[tuple[int, int]]:
    """A free port, and a locked file that the server inherits: no other start takes the port while the server lives."""
    for port in range(FIRST_PORT, FIRST_PORT + 100):
        with (
            Path(tempfile.gettempdir(), f"fanno-{os.getuid()}-port-{port}").open("w") as claim,
            socket.socket() as probe,
        ):
            try:
                fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            probe.close()
            yield port, claim.fileno()
            return
    raise RunStops(f"no port from {FIRST_PORT} to {FIRST_PORT + 99} is free for the Prefect server")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=2) as response:  # noqa: S310 - loopback, set by us
            return bool(response.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def _is_prefect(pid: int) -> bool:
    """Whether that process is still the server, and not another that was given its number."""
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    if not Path("/proc/self/cmdline").exists():
        return _is_alive(pid)  # no way here to tell which process it is
    with suppress(OSError):
        return b"prefect" in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
