"""Encoder, neighbour graph, partition and representatives."""
