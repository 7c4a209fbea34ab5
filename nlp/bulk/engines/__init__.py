"""Engines: they schedule the shards of a plan. Paths, numbers and receipts cross them, never a narrative."""
