"""What one does in latent space."""

from diabolo.latents.spreading import label_by_neighbours, neighbour_graph, spread

__all__ = ["label_by_neighbours", "neighbour_graph", "spread"]
