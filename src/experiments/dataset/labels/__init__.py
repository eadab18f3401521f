"""Labels and tags: joined from a table, corrected by a log."""
