"""Where the vectors come from."""
