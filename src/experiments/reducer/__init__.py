"""Reducers: each fits a projection of the embeddings to fewer dimensions.

A new reducer is a module here, conf/reducer/<module>.yaml with a command in its first comment, and a test;
then `python scripts/make/stages.py` writes its page in docs/stages.
"""
