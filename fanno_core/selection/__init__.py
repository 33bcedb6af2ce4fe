"""Scores by which rows are chosen."""
