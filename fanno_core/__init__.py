"""The method itself: every phase as plain functions over rows. Knows nothing of Prefect."""
