"""A local model behind vLLM's engine, in this process: batches without a server.

* `loading.py`: a checkpoint to an engine
* `engine.py`: the one thread that owns the engine, and how everybody else's requests get there and back
* `teacher.py`: the teacher itself
"""

from fanno_core.teachers.vllm.teacher import VllmTeacher

__all__ = ["VllmTeacher"]
