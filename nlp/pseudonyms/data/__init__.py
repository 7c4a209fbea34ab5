"""Lists of names, places and streets, by language."""
