"""Figures as interactive pages."""
