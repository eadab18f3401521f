"""Files of vectors, and the images from which they were computed."""
