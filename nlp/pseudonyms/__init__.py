"""Other names for the people of a text, and other days for its dates."""

from .pseudonymizer import Pseudonymizer

__all__ = ["Pseudonymizer"]
