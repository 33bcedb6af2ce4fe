"""RuleR's rules, one idea a file: how each is worded, how a response is edited to keep it, how that is checked."""
