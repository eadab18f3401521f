"""Vectors: files of them, and the images that they were computed from."""
