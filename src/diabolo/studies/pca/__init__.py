"""The study `pca`: its script, and the sentences of its report."""
