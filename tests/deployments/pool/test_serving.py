from __future__ import annotations

import os
import socket

import pytest

from deployments.pool import serving
from deployments.pool.serving import Serving, model_revision, places, visible_gpus
from fanno_core.errors import BadSettings, MissingExtra, RunStops


def test_there_is_one_server_a_gpu_or_a_group_of_gpus() -> None:
    gpus = ("0", "1", "2", "3")
    assert [place.gpus for place in places(Serving("m", gpus=gpus))] == [("0",), ("1",), ("2",), ("3",)]
    assert [place.gpus for place in places(Serving("m", gpus=gpus, tensor_parallel=2))] == [("0", "1"), ("2", "3")]
    with pytest.raises(BadSettings, match="--tensor-parallel 3: 4 GPUs"):
        places(Serving("m", gpus=gpus, tensor_parallel=3))
    with pytest.raises(BadSettings, match="--servers is for the CPU"):
        places(Serving("m", gpus=gpus, servers=2))


def test_servers_on_the_cpu_share_the_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0, 1, 2, 3})
    assert [place.processors for place in places(Serving("m", servers=2))] == [(0, 1), (2, 3)]
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {5})
    assert [place.processors for place in places(Serving("m", servers=2))] == [(5,), (5,)]


def test_a_port_that_is_taken_is_left_out() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        assert port not in [place.port for place in places(Serving("m", servers=2, first_port=port))]


def test_gpus_are_those_that_cuda_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    assert visible_gpus({"CUDA_VISIBLE_DEVICES": "2, 3"}) == ("2", "3")
    assert visible_gpus({"CUDA_VISIBLE_DEVICES": ""}) == ()
    monkeypatch.setattr(serving.shutil, "which", lambda _name: None)
    assert visible_gpus({}) == ()


def test_a_model_that_is_nowhere_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(RunStops, match="--model no/such-model: no such folder, and the hub does not give it"):
        model_revision(Serving("no/such-model"))


def test_an_interpreter_without_vllm_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadSettings, match="--vllm-python /no/python"):
        serving.require_vllm("/no/python")
    monkeypatch.setattr(serving, "find_spec", lambda _name: None)
    with pytest.raises(
        MissingExtra, match=r"pip install -e '\.\[gpu,models\]' in FANNO's clone, into an environment of its own"
    ):
        serving.require_vllm(serving.sys.executable)
