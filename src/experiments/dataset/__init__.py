"""Data sets: each loads its samples in a fixed order.

A new data set is a module here, conf/dataset/<module>.yaml with a command in its first comment, and a test;
then `python scripts/make/stages.py` writes its page in docs/stages.
"""
