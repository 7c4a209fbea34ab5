"""Word lists, written by hand for this project."""
