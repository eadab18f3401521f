"""Correct labels by hand, in a table or on a page, and apply the corrections."""
