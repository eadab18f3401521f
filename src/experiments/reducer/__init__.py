"""Reducers: each fits a projection of the embeddings to fewer dimensions."""
