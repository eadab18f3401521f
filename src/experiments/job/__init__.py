"""One run: from the composed config to its record."""
