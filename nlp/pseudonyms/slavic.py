"""Declension of names in Ukrainian, Serbian with Bosnian and Montenegrin, and Macedonian.

``None`` stands for a class that is not in the tables: such a name is not chosen where a case is needed.
"""

from __future__ import annotations

from .spelling import respell, script_of

Forms = dict[str, str]
CASES = ("gen", "dat", "acc", "ins", "loc", "voc")


def _forms(stem: str, endings: str) -> Forms:
    """Endings of `CASES` (and a second dative), ``-`` for none."""
    names = (*CASES, "dat2")
    return {name: stem + ending.replace("-", "") for name, ending in zip(names, endings.split(), strict=False)}


_UK_SOFTENED = {"г": "з", "к": "ц", "х": "с"}
_UK_SOFT_R = frozenset("Ігор Лазар Кобзар Бондар Лікар Секретар".split())
_UK_FEMININE_PLACES = frozenset("Умань Оболонь Сквира".split())


def ukrainian(lemma: str, gender: str, kind: str) -> Forms | None:  # noqa: PLR0911 - one return for each class of names
    """Ukrainian names and towns. Source: Український правопис (2019), sec. 70-107; Pugh and Press, Ukrainian (1999)."""
    if lemma.endswith(("ський", "цький", "зький")) or (kind != "given" and lemma.endswith("ий") and len(lemma) > 5):
        return _forms(lemma[:-2], "ого ому ого им ому ий")
    if lemma.endswith(("ська", "цька", "зька")):
        return _forms(lemma[:-1], "ої ій у ою ій а")
    if kind == "surname":
        if gender == "f":
            adjective = lemma.endswith(("ова", "ева", "єва", "їна", "ина"))
            if adjective:
                return _forms(lemma[:-1], "ої ій у ою ій о")
            return _ukrainian_a(lemma) if lemma[-1] in "ая" else {}
        if lemma.endswith(("ов", "ев", "єв", "ін", "їн")):
            return _forms(lemma, "а у а им у е ові")
    if lemma[-1] in "ая":
        return _ukrainian_a(lemma)
    if kind == "place":
        return _ukrainian_town(lemma)
    return {} if gender == "f" else _ukrainian_man(lemma)


def _ukrainian_a(lemma: str) -> Forms:
    stem, last = lemma[:-1], lemma[-2:-1]
    if lemma.endswith("я"):
        if last in "іїаеєо":
            return _forms(stem, "ї ї ю єю ї є")
        return _forms(stem, "і і ю ею і ю")
    soft = stem[:-1] + _UK_SOFTENED.get(last, last) + "і"
    endings = ("і", "у", "ею") if last in "жчшщ" else ("и", "у", "ою")
    return {
        "gen": stem + endings[0],
        "dat": soft,
        "acc": stem + endings[1],
        "ins": stem + endings[2],
        "loc": soft,
        "voc": f"{stem}о",
    }


def _ukrainian_man(lemma: str) -> Forms | None:  # noqa: PLR0911 - one return for each class of names
    stem = lemma[:-1]
    if lemma.endswith("о"):
        return _forms(stem, "а у а ом ові е ові")
    if lemma.endswith("й"):
        return _forms(stem, "я ю я єм єві ю єві")
    if lemma.endswith("ь"):
        return _forms(stem, "я ю я ем еві ю еві")
    if lemma in _UK_SOFT_R:
        return _forms(lemma, "я ю я ем еві е еві")
    if lemma.endswith("ець"):
        return _forms(f"{lemma[:-3]}ц", "я ю я ем еві ю еві")
    if lemma[-1] in "жчшщ":
        return _forms(lemma, "а у а ем еві у еві")
    if lemma[-1] in "аеиіоуюяєї":
        return None
    return _forms(lemma, f"а у а ом ові {'у' if lemma[-1] in 'кгх' else 'е'} ові")


def _ukrainian_town(lemma: str) -> Forms | None:
    if lemma in _UK_FEMININE_PLACES:
        return _forms(lemma[:-1], "і і ь ню і е") | {"acc": lemma, "ins": f"{lemma[:-1]}ню"}
    stem, loc = lemma, "і"
    if lemma.endswith("о"):
        return _forms(lemma[:-1], "а у о ом і о")
    if lemma.endswith(("ець", "опіль", "оль", "ель", "ень")):
        stem = f"{lemma[:-3]}ц" if lemma.endswith("ець") else lemma[:-1].replace("піль", "піл").replace("опіл", "опол")
        return _forms(stem, "я ю - ем і ю") | {"acc": lemma}
    if lemma.endswith("ів"):
        stem = lemma[:-2] + ("ев" if lemma[-3] in "чжш" else "ов")
    elif lemma.endswith("їв"):
        stem = f"{lemma[:-2]}єв"
    elif lemma.endswith("ськ"):
        loc = "у"
    elif lemma[-1] in "аеиіоуюяєїйь":
        return None
    return _forms(stem, f"а у - ом {loc} е") | {"acc": lemma}


_SR_FLEETING = {"Petar": "Petr", "Aleksandar": "Aleksandr", "Dimitar": "Dimitr", "Čačak": "Čačk", "Šabac": "Šapc"}
_SR_SOFT = ("č", "ć", "š", "ž", "đ", "j", "c")
_SR_VOCATIVE = {"k": "č", "g": "ž", "h": "š"}


def serbian(lemma: str, gender: str, kind: str) -> Forms | None:
    """Serbian, Bosnian, Montenegrin, either script. Source: Pravopis srpskoga jezika (2010); Mrazović, Gramatika
    (2009)."""
    if script_of(lemma) != "cyrl":
        return _serbian(lemma, gender, kind)
    forms = _serbian(respell(lemma, "sr-cyrl", "sr"), gender, kind)
    return None if forms is None else {case: respell(form, "sr", "sr-cyrl") for case, form in forms.items()}


def _serbian(lemma: str, gender: str, kind: str) -> Forms | None:  # noqa: PLR0911 - one return for each class of names
    stem = lemma[:-1]
    if lemma.endswith(("ska", "čka", "ška")) and kind == "surname":
        return _forms(stem, "e oj u om oj a")
    if lemma.endswith("a"):
        return _forms(stem, f"e i u om i {'e' if lemma.endswith('ica') else 'o'}")
    if gender == "f" and kind != "place":
        return {}
    if lemma.endswith(("ski", "čki")):
        return _forms(stem, "og om og im om i")
    if kind == "place":
        return _serbian_town(lemma)
    if lemma.endswith("o") or (lemma.endswith("e") and lemma[-2:-1] in "lđ"):
        return _forms(stem, f"a u a {'om' if lemma.endswith('o') else 'em'} u {lemma[-1]}")
    if lemma[-1] in "eiu":
        return _forms(f"{lemma}j", "a u a em u -") | {"voc": lemma} if lemma.endswith("i") else None
    if lemma.endswith(_SR_SOFT):
        return _forms(lemma, "a u a em u u")
    if lemma.endswith("ao"):
        return None
    stem = _SR_FLEETING.get(lemma, lemma)
    return _forms(stem, "a u a om u e") | {"voc": stem[:-1] + _SR_VOCATIVE.get(stem[-1], stem[-1]) + "e"}


def _serbian_town(lemma: str) -> Forms | None:
    if lemma.endswith("o"):
        return _forms(lemma[:-1], "a u o om u o")
    if lemma[-1] in "eiu" or " " in lemma:
        return None
    stem = _SR_FLEETING.get(lemma) or (f"{lemma[:-2]}c" if lemma.endswith("ac") and len(lemma) > 4 else lemma)
    return _forms(stem, f"a u - {'em' if stem.endswith(_SR_SOFT) else 'om'} u e") | {"acc": lemma}


def macedonian(lemma: str, gender: str, kind: str) -> Forms | None:
    """Macedonian: the vocative, and the object form of men's given names.

    Source: Friedman, Macedonian (2002), sec. 2.1; Правопис на македонскиот јазик (2016).
    """
    if kind != "given":
        return {}
    latin = script_of(lemma) == "latn"
    a, e, o, soft = ("a", "e", "o", "ca") if latin else ("а", "е", "о", "ца")
    if lemma.endswith(a):
        return {"voc": lemma[:-1] + (e if lemma.endswith(soft) else o)}
    if gender == "f" or lemma[-1] in ("eiu" if latin else "еиу"):
        return {}
    if lemma.endswith(o):
        return {"acc": lemma[:-1] + a}
    return {"acc": lemma + a, "voc": lemma + e}


def plural(surname: str) -> Forms:
    """A family's name in Russian or Ukrainian, made from the man's surname on -ov, -ev, -in."""
    if not surname.endswith(("ов", "ев", "ёв", "ин", "єв", "ін", "їн")):
        return {}
    i = "и" if surname.endswith(("єв", "ін", "їн")) else "ы"
    return {"plnom": surname + i, "plgen": f"{surname}{i}х", "pldat": f"{surname}{i}м", "plins": f"{surname}{i}ми"}
