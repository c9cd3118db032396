"""The study `generative`: its script, and the sentences of its report."""
