"""Image files: where they are, which are there, and how they are decoded."""
