"""Parts of the pretrained backbones: network, weights, and an adapter for each library."""
