"""Data sets: each finds its samples, whole and in a fixed order."""
