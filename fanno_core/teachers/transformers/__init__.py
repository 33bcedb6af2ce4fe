"""A local causal language model, run in this process by Hugging Face transformers.

* `weights.py`: the model, ready to answer
* `generation.py`: batches of token ids to answers' token ids, or to scores of the next token
* `teacher.py`: the teacher itself
"""

from fanno_core.teachers.transformers.teacher import TransformersTeacher

__all__ = ["TransformersTeacher"]
