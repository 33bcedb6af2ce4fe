"""The measures of a report, a family a file."""
