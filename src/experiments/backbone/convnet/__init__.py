"""Parts of the backbone cnn: network, augmentation, batches and training."""
