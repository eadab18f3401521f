"""Files of rows: their spelling, their columns, and how they come into the store in bounded memory."""
