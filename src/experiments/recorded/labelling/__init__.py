"""Labels that people correct: a table to edit, or a page, and what becomes of their corrections."""
