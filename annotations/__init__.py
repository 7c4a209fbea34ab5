"""The codebook, the coding guidelines and the annotated narratives: data, no code."""
