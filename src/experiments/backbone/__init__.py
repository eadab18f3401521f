"""Backbones: stages that fit an encoder, which maps samples to embeddings.

A new backbone is a module here, conf/backbone/<module>.yaml with a command in its first comment, and a test;
then `python scripts/make/stages.py` writes its page in docs/stages. docs/extend/backbone.md is an example.
"""
