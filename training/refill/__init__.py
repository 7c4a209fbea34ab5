"""The refilling generator: narratives whose marked identifiers are swapped for others of their kind.

A name detector that trains on refilled copies learns how names stand in sentences, not the names of the corpus. Gender,
grammatical case, culture, spelling and shape of each identifier are kept; optional noise imitates hurried typing and
scanning."""

from nlp.pseudonyms.pools import add_source

from .more_names import faker_names
from .noise import HEAVY, LIGHT, NO_NOISE, Noise
from .refiller import Refiller, Tally

add_source(faker_names)

__all__ = ["HEAVY", "LIGHT", "NO_NOISE", "Noise", "Refiller", "Tally"]
