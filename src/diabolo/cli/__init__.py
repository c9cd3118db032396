"""The command line: one thin file per verb. Nothing here imports torch until a verb needs it."""

from diabolo.cli.main import main

__all__ = ["main"]
