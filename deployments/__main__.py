"""`python -m deployments` is `fanno`."""

from deployments.cli import app

app(prog_name="fanno")
