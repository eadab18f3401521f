"""Evaluators: each judges what the stages before it made."""
