"""Evaluators: each computes metrics, tables and figures of a run.

A new evaluator is a module here, conf/evaluator/<module>.yaml with a command in its first comment, and a
test; then `python scripts/make/stages.py` writes its page in docs/stages.
"""
