"""Parts of figures that several evaluators use: 2-D layouts, thumbnails, distances to centres."""
