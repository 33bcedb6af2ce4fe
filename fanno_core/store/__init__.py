"""Rows on disk: contracts, shards, ledger and fingerprints."""
