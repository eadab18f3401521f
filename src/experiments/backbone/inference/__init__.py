"""Inference with networks: batches, threads, and reproducible results."""
