"""The command line, `fanno`: one file a command, thin over the flows."""

from deployments.cli.app import app

__all__ = ["app"]
