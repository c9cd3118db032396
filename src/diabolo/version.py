"""The version of Diabolo."""

__version__ = "0.1.0"
