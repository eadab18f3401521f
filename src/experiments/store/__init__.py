"""The cache: keys, folders, locks."""
