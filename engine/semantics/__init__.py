"""What FEEL's values and operations mean, shared by every backend."""
