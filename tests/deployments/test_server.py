from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import httpx

from tests.conftest import Fanno


def test_the_server_is_kept_and_found_again(fanno: Fanno) -> None:
    first, again = fanno("server", "start"), fanno("server", "start")
    assert first.code == again.code == 0
    assert first.out == again.out
    assert "http://127.0.0.1:" in first.out
    assert fanno("server", "status").out.startswith("running: http://127.0.0.1:")


def test_the_server_calls_nobody_and_keeps_its_state_in_its_folder(fanno: Fanno) -> None:
    fanno("server", "start")
    url = json.loads((fanno.state / "server.json").read_text(encoding="utf-8"))["url"]
    settings = httpx.get(f"{url}/admin/settings").json()
    assert settings["server"]["analytics_enabled"] is False
    assert (fanno.state / "prefect" / "prefect.db").is_file()


def test_a_server_that_died_is_started_again(tmp_path: Path) -> None:
    fanno = Fanno(tmp_path)
    try:
        fanno("server", "start")
        pid = json.loads((tmp_path / "server.json").read_text(encoding="utf-8"))["pid"]
        os.killpg(pid, signal.SIGKILL)
        assert fanno("server", "start").code == 0
        assert fanno("server", "status").out.startswith("running")
    finally:
        assert fanno("server", "stop").out == "stopped\n"
    assert fanno("server", "stop").out == "not running\n"
    assert fanno("server", "status").out == "not running\n"


def test_the_server_of_another_who_took_the_port_of_a_dead_one_is_not_ours(fanno: Fanno, tmp_path: Path) -> None:
    fanno("server", "start")
    with subprocess.Popen(["true"]) as ended:
        ended.wait()
    record = json.loads((fanno.state / "server.json").read_text(encoding="utf-8")) | {"pid": ended.pid}
    (tmp_path / "server.json").write_text(json.dumps(record), encoding="utf-8")
    assert Fanno(tmp_path)("server", "status").out == "not running\n"


def test_a_configured_server_is_used_and_none_is_started(fanno: Fanno, tmp_path: Path) -> None:
    fanno("server", "start")
    url = json.loads((fanno.state / "server.json").read_text(encoding="utf-8"))["url"]
    (tmp_path / "short.txt").write_text("Too short to learn from.")
    command = ["run", "--corpus", tmp_path / "short.txt", "--out", tmp_path / "out"]
    ended = Fanno(tmp_path / "state")(*command, PREFECT_API_URL=url)
    assert ended.out.startswith(f"Prefect UI: {url.removesuffix('/api')}\n")
    assert not (tmp_path / "state").exists()
    runs = httpx.post(f"{url}/flow_runs/filter", json={"sort": "START_TIME_DESC", "limit": 1}).json()
    assert runs[0]["name"] == f"short.txt to {tmp_path / 'out'}"
    assert runs[0]["state_name"] == "Failed"
