"""One measure per function: what it takes, what it gives, in which unit."""

from diabolo.metrics.likelihood import Nats, negative_elbo, nll

__all__ = ["Nats", "negative_elbo", "nll"]
