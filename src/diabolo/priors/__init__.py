"""Densities over what a trained model says of its images, to draw from: maps of discrete codes."""

from diabolo.priors.code_prior import CodePrior
from diabolo.priors.transformer import CausalTransformer

__all__ = ["CausalTransformer", "CodePrior"]
