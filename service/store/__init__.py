"""What the service keeps: feedback, keys, sessions and the audit log. Redacted text only, encrypted at rest."""
