"""Figures as interactive HTML pages."""
