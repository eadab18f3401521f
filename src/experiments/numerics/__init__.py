"""Arithmetic that stages share; it imports none of them."""
