"""What the choice of k is made of: trials, references of the gap, and what each method says of them."""
