"""Selection of samples, and their split."""
