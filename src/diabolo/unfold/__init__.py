"""A run in plain PyTorch: a stand-alone script that a student can read from top to bottom, and hand in as an example."""

from diabolo.unfold.model import Unfolded, unfolded
from diabolo.unfold.script import loop, script, write

__all__ = ["Unfolded", "loop", "script", "unfolded", "write"]
