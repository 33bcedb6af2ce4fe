"""Which segments stay: rules, duplicates, personal data, verdicts of the teacher."""
