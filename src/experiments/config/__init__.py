"""From overrides to a checked config, and from the config to stages."""
