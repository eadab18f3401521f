"""The rows to fit on and to score under each protocol."""
