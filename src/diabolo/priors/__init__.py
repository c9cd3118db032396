"""Densities over what a trained model says of its images, to draw from: maps of discrete codes."""

from diabolo.priors.code_prior import CausalTransformer, CodePrior

__all__ = ["CausalTransformer", "CodePrior"]
