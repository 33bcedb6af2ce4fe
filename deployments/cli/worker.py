"""`fanno worker`: serves a model and runs the flow runs of a pool."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from deployments.cli.options import one_sentence_errors
from deployments.pool.serving import Serving, visible_gpus
from deployments.pool.worker import work
from deployments.server import quieten_prefect

PoolName = Annotated[str, typer.Option("--pool", help="Work pool whose flow runs this worker takes.")]
Model = Annotated[
    str, typer.Option(help="Folder or hub name of the model to serve; empty: no servers, flow runs only.")
]
Revision = Annotated[str, typer.Option(help="Revision of a hub model; empty: the newest.")]
Gpus = Annotated[str, typer.Option(help="GPUs to serve on, such as 0,1,2,3; all, or none for the CPU.")]
Servers = Annotated[int, typer.Option(min=1, help="Servers on the CPU; on GPUs there is one a GPU.")]
TensorParallel = Annotated[int, typer.Option(min=1, help="GPUs that share one model.")]
Dtype = Annotated[str, typer.Option(help="Precision of the weights, as vLLM names it.")]
Context = Annotated[int, typer.Option(min=0, help="Longest prompt and answer together, in tokens; 0: the model's.")]
MemoryShare = Annotated[float, typer.Option(min=0.05, max=1, help="Share of a GPU's memory that a server takes.")]
CpuCache = Annotated[int, typer.Option(min=1, help="Memory for the prefix cache of a server on the CPU, in GiB.")]
PrefixCache = Annotated[bool, typer.Option(help="Keep what prompts have in common.")]
ServedName = Annotated[str, typer.Option(help="Name that requests use; empty: the model's.")]
VllmPython = Annotated[str, typer.Option(help="Python of an environment with vLLM; by default this one.")]
FirstPort = Annotated[
    int, typer.Option(min=1024, max=65_000, help="Port of the first server; the next free ones follow.")
]
StartLimit = Annotated[float, typer.Option(min=1, help="Seconds that a server may take until it is ready.")]


def worker(
    pool: PoolName,
    model: Model = "",
    revision: Revision = "",
    gpus: Gpus = "all",
    servers: Servers = 1,
    tensor_parallel: TensorParallel = 1,
    dtype: Dtype = "auto",
    context: Context = 0,
    memory_share: MemoryShare = 0.9,
    cpu_cache_gib: CpuCache = 1,
    prefix_cache: PrefixCache = True,
    served_name: ServedName = "",
    vllm_python: VllmPython = sys.executable,
    first_port: FirstPort = 8101,
    start_limit_s: StartLimit = 1800.0,
) -> None:
    """Serve a model and run the flow runs of a pool.

    Ends on Ctrl-C or SIGTERM. One vLLM server a GPU, or on the CPU, is started, watched, and started again when it
    dies; none outlives this command. Relative paths of flow runs are below the folder in which this is started.

    Examples:
        fanno worker --pool gpu --model mistralai/Mistral-7B-Instruct-v0.3 --gpus 0,1
        fanno worker --pool cpu --model ./model --gpus none --servers 2
        fanno worker --pool flows
    """
    quieten_prefect()
    with one_sentence_errors():
        serving = Serving(
            model=model,
            revision=revision,
            served_name=served_name,
            gpus=_gpus(gpus),
            servers=servers,
            tensor_parallel=tensor_parallel,
            dtype=dtype,
            context_tokens=context,
            memory_share=memory_share,
            cpu_cache_gib=cpu_cache_gib,
            prefix_cache=prefix_cache,
            python=vllm_python,
            first_port=first_port,
            start_limit_s=start_limit_s,
        )
        work(pool, serving if model else None, typer.echo)


def _gpus(named: str) -> tuple[str, ...]:
    if named == "all":
        return visible_gpus(os.environ)
    return () if named == "none" else tuple(part for part in named.replace(" ", "").split(",") if part)
