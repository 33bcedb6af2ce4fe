"""Tag pool, seeds, bandit, Think Different and the filters of instructions."""
