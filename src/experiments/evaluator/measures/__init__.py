"""Metrics as functions of points, labels and assignments, and what several of them need."""
