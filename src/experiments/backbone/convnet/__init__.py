"""Parts of the CNN: network, augmentation, training, and embedding in batches."""
