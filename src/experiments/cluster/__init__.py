"""Clusterers: each clusters the reduced embeddings."""
