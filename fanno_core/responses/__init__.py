"""Answers, retrieval and the filters of responses."""
