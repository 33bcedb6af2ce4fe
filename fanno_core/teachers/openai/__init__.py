"""Servers with OpenAI's API (vLLM, Ollama, llama.cpp, TGI, hosted), one or several, asked over HTTP.

* `teacher.py`: the teacher itself
* `opening.py`: what a server says of itself, before it is asked anything
* `questions.py`, `chat.py`, `ids.py`: the two ways to ask: a message for the server's chat template, or token ids
* `replies.py`: a server's JSON to an answer
* `exchange.py`, `faults.py`: one HTTP exchange, and what can go wrong in it
* `dispatch.py`: which request goes when and where; retries, outages, calls that end early
* `endpoints.py`, `limiter.py`: whose turn it is, and how many requests may be under way
* `background.py`: the event loop of its own in which all of that lives
* `watch.py`: whether servers are back, and how long their queues are
* `keys.py`: where an API key comes from
"""

from fanno_core.teachers.openai.teacher import OpenAITeacher

__all__ = ["OpenAITeacher"]
