"""Image files in folders and archives: listing, checking, decoding."""
