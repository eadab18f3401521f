"""What is computed once: cache keys, folders, locks."""
