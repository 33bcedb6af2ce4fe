"""A run, its Prefect server and everything they import talk to this machine alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Fanno

# Loaded by every Python process of the run through PYTHONPATH: notes each address that a socket is asked for.
WITNESS = """
import os, sys
def note(event, arguments):
    if event in ("socket.connect", "socket.sendto"):
        target = arguments[1]
    elif event == "socket.getaddrinfo":
        target = arguments[0]
    else:
        return
    with open(os.environ["WITNESS_LOG"], "a") as log:
        log.write(f"{event} {target!r}\\n")
sys.addaudithook(note)
"""
LOOPBACK = ("'127.0.0.1'", "'localhost'", "('127.0.0.1',", "('::1',", "None", "b'127.0.0.1'", "b'localhost'")

pytestmark = pytest.mark.slow


def test_demo_opens_no_connection_but_to_loopback(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(WITNESS)
    log = tmp_path / "addresses"
    fanno = Fanno(tmp_path / "state")
    # As a user's terminal has it: neither CI nor anything else that makes libraries more modest.
    watched = {"PYTHONPATH": str(tmp_path), "WITNESS_LOG": str(log), "CI": "", "GITHUB_ACTIONS": ""}
    try:
        ended = fanno("run", "--corpus", "installed-docs", "--out", tmp_path / "out", **watched)
        assert ended.code == 0, ended.err
    finally:
        fanno("server", "stop")
    seen = log.read_text().splitlines()
    assert any("127.0.0.1" in line for line in seen), "the witness saw nothing"
    assert not {line for line in seen if not line.split(" ", 1)[1].startswith(LOOPBACK)}
