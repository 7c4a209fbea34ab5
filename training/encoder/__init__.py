"""Fine-tuning of a multilingual encoder for both jobs: codes of a case, and identifiers in its text."""
