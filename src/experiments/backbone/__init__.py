"""Backbones: stages that fit an encoder, which maps samples to embeddings."""
