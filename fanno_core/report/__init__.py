"""The report of a run: its numbers, its figures and its page."""
