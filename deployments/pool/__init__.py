"""The worker's host: model servers, the Prefect worker beside them, and an end without orphans.

* `guard.py`: a process that ends, with all that it started, when the one who asked for it does
* `services.py`: a service under guard that is started again when it dies
* `serving.py`: which model, on which GPUs or processors and ports
* `servers.py`: the vLLM server of one place, and whether it answers
* `fleet.py`: all servers of a model, and the file that tells flow runs of them
* `worker.py`: the order in which it all starts and stops
* `steps.py`: what Prefect does before a flow run
"""
