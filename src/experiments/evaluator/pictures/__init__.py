"""What several evaluators show: places in the plane, small images, distances to centres."""
