"""The published data set: formats, card, run record."""
