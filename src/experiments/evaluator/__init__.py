"""Evaluators: each computes metrics, tables and figures of a run."""
