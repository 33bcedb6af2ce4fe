"""The reference pages of the documentation, written from the code each time the site is built.

* `hook.py`: what MkDocs calls
* `commands.py`, `settings.py`, `contracts.py`, `phases.py`, `reasons.py`: one page each
* `table.py`: a Markdown table
"""
