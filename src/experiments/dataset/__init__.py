"""Data sets: each loads its samples in a fixed order."""
