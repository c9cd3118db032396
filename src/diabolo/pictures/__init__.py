"""Pictures of what was trained: the figures of a run, and the views of a latent space."""
