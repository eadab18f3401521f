"""Reducers: each makes a projection of embeddings to fewer dimensions."""
