"""The names of ``faker``, beside our own lists: training wants many."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

from nlp.pseudonyms.pools import Pool

# Locales of faker beside our own lists, and the lists of their person provider: men, women, surnames.
_FAKER = {
    "ru": ("ru_RU", "last_names_male"),
    "uk": ("uk_UA", "last_names_male"),
    "ro": ("ro_RO", ""),
    "ka": ("ka_GE", "last_names"),
    "hy": ("hy_AM", "last_names"),
    "az": ("az_AZ", "last_names_male"),
    "uz": ("uz_UZ", "last_names_male"),
    "mk": ("mk_MK", ""),
    "bs": ("hr_HR", "last_names"),
}
_APOSTROPHES = str.maketrans("‘’ʻ`", "ʼʼʼʼ")  # faker writes Uzbek letters with whatever is at hand


def faker_names(culture: str) -> Pool:
    """The names of the person provider of a culture's locale. Raises `ModuleNotFoundError` without ``faker``."""
    if culture not in _FAKER:
        return Pool((), (), ())
    locale, last = _FAKER[culture]
    provider = import_module(f"faker.providers.person.{locale}").Provider
    lists = ("first_names_male", "first_names_female", last)
    return Pool(*(tuple(_usable(getattr(provider, name, ()) if name else (), culture)) for name in lists))


def _usable(names: object, culture: str) -> Iterator[str]:
    for raw in names if isinstance(names, (tuple, list, dict)) else ():
        name = str(raw).strip()
        if len(name) > 2 and name.replace("-", "").replace("'", "").replace("’", "").isalpha():
            fixed = name.translate(_APOSTROPHES) if culture == "uz" else name
            yield fixed.replace("Oʼ", "Oʻ").replace("oʼ", "oʻ").replace("gʼ", "gʻ") if culture == "uz" else fixed
