"""A local causal language model, run in this process by Hugging Face transformers.

* `checkpoint.py`: what is loaded, and how it is named in every fingerprint
* `encoding.py`: prompts to token ids, in which a document's chat markup stays text
* `generation.py`: batches of token ids to answers' token ids, or to scores of the next token
* `teacher.py`: the teacher itself
"""

from fanno_core.teachers.transformers.teacher import TransformersTeacher

__all__ = ["TransformersTeacher"]
