"""Words of each language served, written down by hand for this project; no word of a narrative."""
