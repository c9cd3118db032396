"""The study `beta`: its script, and the sentences of its report."""
