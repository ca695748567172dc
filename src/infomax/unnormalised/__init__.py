"""Densities known up to their normaliser: learned by telling data from noise; the normaliser learned, fixed or estimated."""
