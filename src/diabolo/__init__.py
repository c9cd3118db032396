"""Diabolo: train any autoencoder, measure it truthfully, look inside, write it up."""

__version__ = "0.1.0"
