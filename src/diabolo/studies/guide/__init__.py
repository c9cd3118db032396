"""The study `guide`: its script, and the sentences of its report."""
