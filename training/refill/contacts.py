"""E-mail addresses, handles and links: other names and digits between the same signs, at the same providers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from random import Random

from nlp.pseudonyms.lexicon import plain
from nlp.pseudonyms.pools import cultures_of, spelt

from .numbers import reshape

_PROVIDERS = frozenset(
    "gmail yahoo outlook hotmail icloud proton protonmail mail inbox list yandex rambler bk ukr meta i tut abv "
    "t telegram facebook fb instagram tiktok youtube youtu vk ok twitter x viber whatsapp wa google drive docs disk "
    "forms olx avito".split()
)
_SUBDOMAINS = frozenset("www m mail drive docs disk web".split())
_PATH_WORDS = frozenset(
    "http https joinchat video videos watch reel reels post posts page live doc docs file files view folders file "
    "group "
    "groups user channel photo photos story stories wall id index html pdf php com www share".split()
)

_TOP_LEVEL = re.compile(r"\.(?:example|com|net|org|info|[a-z]{2})$", re.IGNORECASE)


def contact(old: str, rng: Random, country: str, names: Mapping[str, str]) -> str:
    """Another address. ``names`` are the old and new names of the text, in plain Latin letters."""
    if "@" in old and not old.startswith("@") and "/" not in old:
        local, _, domain = old.rpartition("@")
        return f"{_words(local, rng, country, names)}@{_domain(domain, rng, country, names)}"
    head, host, path = _parts(old)
    host = _domain(host, rng, country, names) if host else ""
    return head + host + _words(path, rng, country, names)


def _parts(link: str) -> tuple[str, str, str]:
    match = re.match(r"(?P<head>(?:\w+://)?)(?P<host>[\w-]+(?:\.[\w-]+)+(?=/|$))(?P<path>.*)", link, re.DOTALL)
    if match is None:
        return "", "", link
    if "/" not in link and not _TOP_LEVEL.search(link):
        return "", "", link
    return match["head"], match["host"], match["path"]


def _domain(domain: str, rng: Random, country: str, names: Mapping[str, str]) -> str:
    labels = domain.split(".")
    if len(labels) == 1:
        return _words(domain, rng, country, names)
    kept = [label.lower() in _SUBDOMAINS or label.lower() in _PROVIDERS for label in labels]
    kept[-1] = True
    changed = [label if keep else _words(label, rng, country, names) for label, keep in zip(labels, kept, strict=True)]
    return ".".join(changed)


def _words(text: str, rng: Random, country: str, names: Mapping[str, str]) -> str:
    def swap(match: re.Match[str]) -> str:
        run = match[0]
        if run[0].isdigit():
            return reshape(run, rng)
        if run.lower() in _PATH_WORDS:
            return run
        return _run(run, rng, country, names)

    for _ in range(4):
        new = re.sub(r"[^\W\d_]+|\d+", swap, text)
        if new != text:
            break
    return new


def _run(run: str, rng: Random, country: str, names: Mapping[str, str]) -> str:
    if not run.islower() and not run.istitle():  # the random letters of a link
        letters = "abcdefghijkmnpqrstuvwxyz"
        return "".join(rng.choice(letters.upper() if letter.isupper() else letters) for letter in run)
    for old, new in sorted(names.items(), key=lambda pair: (-len(pair[0]), pair)):
        if run.lower().startswith(old[: max(4, len(old) - 1)]) and new:
            return new if run.islower() else new.capitalize()
    if len(run) < 3:
        return "".join(rng.choice("abdegiklmnoprstuvz") for _ in run)
    new = _latin_name(rng, country)
    return new if run.islower() else new.capitalize()


def _latin_name(rng: Random, country: str) -> str:
    names = spelt(cultures_of(country)[0], "en")
    while True:
        name = plain(rng.choice(names[rng.randrange(3)]))
        if name.isascii() and name:
            return name
