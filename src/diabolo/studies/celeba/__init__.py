"""The study `celeba`: its script, and the sentences of its report."""
