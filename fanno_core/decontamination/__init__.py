"""Rows that stand in a benchmark: found by shared runs of words and by embeddings."""
