"""Backbones: each makes an encoder that turns samples into embeddings."""
