"""Which samples are used, and their split."""
