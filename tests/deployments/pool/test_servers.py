from __future__ import annotations

from pathlib import Path

from deployments.pool.servers import command, environment
from deployments.pool.serving import Place, Serving


def words(serving: Serving, place: Place, revision: str = "") -> str:
    return " ".join(command(serving, place, revision))


def test_a_server_on_gpus_sees_those_alone_and_pins_the_commit() -> None:
    serving = Serving("org/model", gpus=("4", "5"), tensor_parallel=2, context_tokens=8192, memory_share=0.8)
    place = Place(8101, gpus=("4", "5"))
    told = words(serving, place, "0123abcd")
    for option in (
        "--model org/model --served-model-name org/model",
        "--revision 0123abcd --tokenizer-revision 0123abcd",
        "--max-model-len 8192",
        "--gpu-memory-utilization 0.8 --tensor-parallel-size 2",
    ):
        assert option in told
    assert "--enforce-eager" not in told
    assert environment(serving, place, {"VLLM_API_KEY": "secret"}) == {
        "CUDA_VISIBLE_DEVICES": "4,5",
        "VLLM_NO_USAGE_STATS": "1",
        "DO_NOT_TRACK": "1",
    }


def test_a_folder_is_served_by_its_name_without_the_hub(tmp_path: Path) -> None:
    serving = Serving(str(tmp_path), servers=2, prefix_cache=False, served_name="mine")
    told = words(serving, Place(8102, processors=(2, 3)), "0123abcd")
    assert f"--model {tmp_path} --served-model-name mine" in told
    assert "--dtype bfloat16 --enforce-eager --block-size 32" in told
    assert "--no-enable-prefix-caching" in told
    assert "--revision" not in told
    variables = environment(serving, Place(8102, processors=(2, 3)), {})
    assert variables["HF_HUB_OFFLINE"] == "1"
    assert variables["VLLM_CPU_OMP_THREADS_BIND"] == "2,3"
    assert variables["VLLM_CPU_KVCACHE_SPACE"] == "1"
