"""Training: `fit`, the loop, run folders, resume."""
