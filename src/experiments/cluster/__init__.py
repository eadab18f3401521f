"""Clusterers: each groups the reduced embeddings."""
