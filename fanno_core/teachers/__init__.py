"""The language model that judges, asks and answers: one protocol, one file a backend."""
