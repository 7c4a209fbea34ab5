"""Declension of names in Romanian and Albanian."""

from __future__ import annotations

Forms = dict[str, str]


def romanian(lemma: str, gender: str, kind: str) -> Forms | None:
    """Romanian: genitive and dative of women's names and of towns; men's take *lui* before them.

    Source: Gramatica de bază a limbii române (2010), ch. 2; DOOM3 (2021).
    """
    if kind == "surname" or (kind == "given" and gender == "m"):
        return {}
    if lemma.endswith(("ca", "ga")):
        return {"gen": f"{lemma[:-1]}ăi"}
    if lemma.endswith("a"):
        return {"gen": f"{lemma[:-1]}ei"}
    if kind == "place" and lemma[-1] not in "aeiău":
        return {"gen": f"{lemma}ului"}
    return {"gen": f"{lemma}lui"} if kind == "place" and lemma.endswith("u") else {}


def albanian(lemma: str, gender: str, kind: str) -> Forms | None:  # noqa: PLR0911 - one return for each class of names
    """Albanian: indefinite lemma for men and towns (Arben, Tiranë), the called form for women (Mirela).

    Source: Newmark, Hubbard and Prifti, Standard Albanian (1982), ch. 4.
    """
    if kind == "place":
        if lemma.endswith(("ë", "e", "a")):
            return _feminine(lemma[:-1] + "a")
        if lemma.endswith("i"):
            return {"def": f"{lemma}a", "acc": f"{lemma}në", "gen": f"{lemma}së"}
        return _masculine(_without_schwa(lemma))
    if gender == "f":
        if kind == "surname" or lemma[-1] not in "ae":
            return {}
        return _feminine(lemma)
    if lemma.endswith("i"):
        return {"acc": f"{lemma}n", "gen": f"{lemma}t"}
    if lemma[-1] in "aeëouy":
        return {}
    return _masculine(lemma)


def _without_schwa(lemma: str) -> str:
    return f"{lemma[:-2]}{lemma[-1]}" if lemma.endswith(("ër", "ël")) else lemma


def _masculine(lemma: str) -> Forms:
    i = "u" if lemma.endswith(("k", "g", "h")) else "i"
    return {"def": lemma + i, "acc": f"{lemma}{i}n", "gen": f"{lemma}{i}t"}


def _feminine(lemma: str) -> Forms:
    """The article -a: -ën, -ës; after another vowel -n, -s. A name on -e takes -ja."""
    stem = lemma[:-1]
    if lemma.endswith("e"):
        return {"def": f"{lemma}ja", "acc": f"{lemma}n", "gen": f"{lemma}s"}
    if stem[-1] in "aeiouyë":
        return {"def": lemma, "acc": f"{lemma}n", "gen": f"{lemma}s"}
    return {"def": lemma, "acc": f"{stem}ën", "gen": f"{stem}ës"}
