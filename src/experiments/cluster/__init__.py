"""Clusterers: each clusters the reduced embeddings.

A new clusterer is a module here, conf/cluster/<module>.yaml with a command in its first comment, and a test;
then `python scripts/make/stages.py` writes its page in docs/stages. docs/extend/clusterer.md is an example.
"""
