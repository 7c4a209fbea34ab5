"""Building bundles from annotated narratives; never needed to predict."""
