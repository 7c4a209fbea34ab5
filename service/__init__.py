"""The HTTP service: translates requests to the pipeline and back, and decides nothing."""
