"""Labels: joined from tables, corrected, and tags."""
