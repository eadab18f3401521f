"""Running a network, ours or a pretrained one: batches, threads, and results that repeat."""
