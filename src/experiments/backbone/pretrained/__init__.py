"""Parts of the pretrained backbones: network, weights, and the libraries that they come from."""
